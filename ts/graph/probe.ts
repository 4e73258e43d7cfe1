// Printing what nodes put out, while they do.
import { inspect } from 'node:util'
import { FirnError } from '../errors.ts'
import type { OutputCache } from './cache.ts'
import type { RunContext } from './context.ts'
import { matches, tagList, type Tags } from './tags.ts'

/** Options of `graph.probe`. */
export interface ProbeOptions {
  /** Prints in the first iteration and in those whose number is a multiple of this; training and evaluation are numbered apart. @default 1 */
  readonly every?: number
  /** Iterations that are printed, at most. @default Infinity */
  readonly total?: number
  /** Prints in tasks whose tags would select a node with these. @default '*' */
  readonly tags?: Tags
  /** Takes a line for each output. @default console.log */
  readonly print?: (line: string) => void
}

/** Prints outputs of some nodes after the forward phase; outputs that were not made are passed over. */
export class Probe {
  readonly #names: readonly string[]
  readonly #every: number
  readonly #tags: readonly string[]
  readonly #print: (line: string) => void
  #left: number

  constructor(names: readonly string[], { every = 1, total = Infinity, tags = '*', print = console.log }: ProbeOptions) {
    if (names.length === 0) throw new FirnError('argument', 'graph.probe: no name is given, expected the names of nodes')
    this.#names = names
    this.#every = positive('every', every)
    this.#left = total === Infinity ? total : positive('total', total)
    this.#tags = tagList(tags)
    this.#print = print
  }

  /** Prints, if this iteration is one to print. @param tags of the task at hand */
  look(cache: OutputCache, { counters, task }: RunContext, tags: readonly string[]): void {
    const step = task?.training === true ? counters.trainIterations : counters.evalIterations
    if (this.#left === 0 || (step !== 1 && step % this.#every !== 0) || !matches(this.#tags, tags)) return
    const made = this.#names.filter((name) => cache.has(name))
    if (made.length === 0) return
    this.#left -= 1
    for (const name of made) this.#print(`E${counters.trainEpochs}S${counters.trainIterations} ${name}: ${inspect(cache.get(name))}`)
  }
}

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new FirnError('argument', `graph.probe: ${name} ${value}, expected a whole number from 1`)
}
