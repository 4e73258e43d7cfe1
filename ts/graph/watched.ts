// Which number of a metric is watched, in which epochs, and which of two is better.
import { FirnError, nearest } from '../errors.ts'
import type { Json, StateTree } from '../io/index.ts'
import type { RunContext } from './context.ts'
import { savedCount, savedNumber, savedRecord } from './savedState.ts'

/** The number that `saveBest` and `earlyStop` look at. */
export interface WatchedOptions {
  /** The key of the value, with a meter that gives a record; `'loss/mean'` for one within another. @default the meter's one number */
  readonly metric?: string
  /** Whether the largest or the smallest value is the best. */
  readonly mode: 'max' | 'min'
  /** The kind of epochs that are looked at. @default 'eval' */
  readonly on?: 'eval' | 'train'
}

/** The best value so far. */
export interface Best {
  readonly value: number
  /** Training epochs and iterations of the run at that time. */
  readonly epoch: number
  readonly step: number
}

/** Training epochs and iterations of a run at the end of an epoch, which is counted when it is over. */
export const momentOf = ({ counters }: RunContext, training: boolean): Omit<Best, 'value'> => ({
  epoch: counters.trainEpochs + (training ? 1 : 0),
  step: counters.trainIterations,
})

/** The best value that a state holds, read back. */
export function loadBest(what: string, saved: StateTree | undefined): Best | null {
  if (saved === null || saved === undefined) return null
  const record = savedRecord(what, saved)
  return {
    value: savedNumber(what, record, 'value'),
    epoch: savedCount(what, record, 'epoch'),
    step: savedCount(what, record, 'step'),
  }
}

/** The number of a metric that somebody watches. */
export class Watched {
  readonly mode: 'max' | 'min'
  readonly #what: string
  readonly #metric: string | null
  readonly #on: 'eval' | 'train'

  /** @param what the option that this is of, for messages */
  constructor(what: string, { metric, mode, on = 'eval' }: WatchedOptions) {
    if (mode !== 'max' && mode !== 'min') throw new FirnError('argument', `${what}: mode '${String(mode)}', expected 'max' or 'min'`)
    if (on !== 'eval' && on !== 'train') throw new FirnError('argument', `${what}: on '${String(on)}', expected 'eval' or 'train'`)
    this.#what = what
    this.mode = mode
    this.#metric = metric ?? null
    this.#on = on
  }

  /** Whether epochs of this kind are looked at. */
  looksAt(training: boolean): boolean {
    return (this.#on === 'train') === training
  }

  /** What the value is called when the node has this name. */
  labelOf(node: string): string {
    return this.#metric === null ? node : `${node}.${this.#metric}`
  }

  /** The number in what the meter of a node gives. Fails with code `'argument'`, naming the nearest key, when it is not there. */
  valueIn(node: string, result: Json): number {
    let found: Json | undefined = result
    for (const key of this.#metric?.split('/') ?? []) found = membersOf(found).get(key)
    if (typeof found === 'number') return found
    throw new FirnError('argument', `${this.#what}: ${this.#missing(node, numbersIn(result))}`)
  }

  /** Whether a value is better than the best so far, if there is one, by more than `by`. NaN never is. */
  isBetter(value: number, best: Best | null, by = 0): boolean {
    if (Number.isNaN(value)) return false
    if (best === null) return true
    return this.mode === 'max' ? value > best.value + by : value < best.value - by
  }

  #missing(node: string, keys: readonly string[]): string {
    const known = keys.length === 0 ? '' : `; { metric } may be ${keys.join(', ')}`
    if (this.#metric === null) return `the meter of '${node}' gives no number${known}`
    const near = nearest(this.#metric, keys)
    return `no number '${this.#metric}' in what the meter of '${node}' gives${near === undefined ? '' : `; did you mean '${near}'?`}${known}`
  }
}

const membersOf = (value: Json | undefined): ReadonlyMap<string, Json> =>
  new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [])

/** The keys of all numbers, at any depth. */
const numbersIn = (value: Json, path = ''): string[] =>
  typeof value === 'number' && path !== ''
    ? [path]
    : [...membersOf(value)].flatMap(([key, inner]) => numbersIn(inner, path === '' ? key : `${path}/${key}`))
