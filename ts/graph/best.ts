// The best value of a metric so far, and the checkpoints of the epochs that had it.
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkOptions, FirnError } from '../errors.ts'
import type { Json, StateTree } from '../io/index.ts'
import type { RunContext } from './context.ts'
import { savedRecord } from './savedState.ts'
import { type Best, loadBest, momentOf, Watched, type WatchedOptions } from './watched.ts'

/** When a MetricNode saves the run, and how many checkpoints stay. */
export interface SaveBestOptions extends WatchedOptions {
  /** Checkpoints that stay: the last `keep` that were the best of their time. @default 1 */
  readonly keep?: number
}

/** Compares values of epochs, and saves the run whenever one is better than all before it. */
export class BestKeeper {
  readonly #watched: Watched
  readonly #keep: number
  #best: Best | null = null
  /** Names of the checkpoints that stay, oldest first. */
  #files: readonly string[] = []

  constructor(options: SaveBestOptions) {
    checkOptions('saveBest', options, ['metric', 'mode', 'keep', 'on'])
    const { keep = 1 } = options
    this.#watched = new Watched('saveBest', options)
    if (!Number.isInteger(keep) || keep < 1) throw new FirnError('argument', `saveBest: keep ${keep}, expected a whole number from 1`)
    this.#keep = keep
  }

  /** Null before the first value. */
  get best(): Best | null {
    return this.#best
  }

  /** Looks at what a meter of this name says of an epoch. A checkpoint, if there is to be one, is written when the epoch is over for all nodes. */
  look(name: string, result: Json, training: boolean, context: RunContext): void {
    if (!this.#watched.looksAt(training)) return
    const value = this.#watched.valueIn(name, result)
    if (!this.#watched.isBetter(value, this.#best)) return
    const moment = momentOf(context, training)
    this.#best = { value, ...moment }
    const label = fileName(this.#watched.labelOf(name))
    const to = `E${moment.epoch}S${moment.step}_${label}_${Number(value.toPrecision(6))}.safetensors`
    const { kept, gone } = newest(this.#files, to, this.#keep)
    this.#files = kept
    context.atEpochEnd.push(async () => {
      const folder = dirname(await context.save(to))
      // Those of the folder of a run that was resumed stay.
      for (const file of gone) await rm(join(folder, file), { force: true })
    })
  }

  stateDict(): StateTree {
    return { best: this.#best && { ...this.#best }, files: this.#files }
  }

  loadStateDict(what: string, state: StateTree | undefined): void {
    const { best, files } = savedRecord(what, state)
    this.#best = loadBest(what, best)
    this.#files = Array.isArray(files) ? files.map(String).filter((file) => file === fileName(file)) : []
  }
}

/** A list of files with one more at its end, and which of them are too many: the oldest, when `count` are to stay. */
export function newest(
  files: readonly string[],
  file: string,
  count: number,
): { readonly kept: readonly string[]; readonly gone: readonly string[] } {
  const all = [...files.filter((other) => other !== file), file]
  return { kept: all.slice(-count), gone: all.slice(0, -count) }
}

// A node may be called anything; a file may not.
const fileName = (name: string): string => name.replace(/[^\w.+-]/g, '-')
