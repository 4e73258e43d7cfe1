// The best value of a metric so far, and the checkpoints of the epochs that had it.
import { checkOptions, FirnError } from '../errors.ts'
import type { Json, StateTree } from '../io/index.ts'
import type { RunContext } from './context.ts'
import { savedCount, savedNumber, savedRecord } from './savedState.ts'

/** When a MetricNode saves the run, and how many checkpoints stay. */
export interface SaveBestOptions {
  /** The key of the value, with a meter that gives a record; `'loss/mean'` for one within another. @default the meter's one number */
  readonly metric?: string
  /** Whether the largest or the smallest value is the best. */
  readonly mode: 'max' | 'min'
  /** Checkpoints that stay: the last `keep` that were the best of their time. @default 1 */
  readonly keep?: number
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

/** Compares values of epochs, and saves the run whenever one is better than all before it. */
export class BestKeeper {
  readonly #options: Required<Omit<SaveBestOptions, 'metric'>> & Pick<SaveBestOptions, 'metric'>
  #best: Best | null = null
  /** Names of the checkpoints that stay, oldest first. */
  #files: readonly string[] = []

  constructor(options: SaveBestOptions) {
    checkOptions('saveBest', options, ['metric', 'mode', 'keep', 'on'])
    const { mode, keep = 1, on = 'eval' } = options
    if (mode !== 'max' && mode !== 'min') throw new FirnError('argument', `saveBest: mode '${String(mode)}', expected 'max' or 'min'`)
    if (on !== 'eval' && on !== 'train') throw new FirnError('argument', `saveBest: on '${String(on)}', expected 'eval' or 'train'`)
    if (!Number.isInteger(keep) || keep < 1) throw new FirnError('argument', `saveBest: keep ${keep}, expected a whole number from 1`)
    this.#options = { ...options, mode, keep, on }
  }

  /** Null before the first value. */
  get best(): Best | null {
    return this.#best
  }

  /** Looks at what a meter of this name says of an epoch. A checkpoint, if there is to be one, is written when the epoch is over for all nodes. */
  look(name: string, result: Json, training: boolean, context: RunContext): void {
    if ((this.#options.on === 'train') !== training) return
    const value = this.#valueOf(name, result)
    if (!this.#isBetter(value)) return
    // An epoch is counted when it is over.
    const { trainEpochs, trainIterations: step } = context.counters
    const epoch = trainEpochs + (training ? 1 : 0)
    this.#best = { value, epoch, step }
    const label = this.#options.metric === undefined ? name : `${name}.${this.#options.metric}`
    const to = `E${epoch}S${step}_${fileName(label)}_${Number(value.toPrecision(6))}.safetensors`
    const { kept, gone } = newest(this.#files, to, this.#options.keep)
    this.#files = kept
    // Those of the folder of a run that was resumed stay.
    context.atEpochEnd.push(() => context.save({ to, replacing: gone }))
  }

  stateDict(): StateTree {
    return { best: this.#best && { ...this.#best }, files: this.#files }
  }

  /** Takes over what `readBest` read. */
  take({ best, files }: SavedBest): void {
    this.#best = best
    this.#files = files
  }

  // NaN is never better.
  #isBetter(value: number): boolean {
    if (Number.isNaN(value)) return false
    if (this.#best === null) return true
    return this.#options.mode === 'max' ? value > this.#best.value : value < this.#best.value
  }

  #valueOf(name: string, result: Json): number {
    const { metric } = this.#options
    let found: Json | undefined = result
    for (const key of metric?.split('/') ?? []) found = membersOf(found).get(key)
    if (typeof found === 'number') return found
    const keys = [...membersOf(result).keys()].join(', ')
    throw new FirnError(
      'argument',
      `saveBest: ${metric === undefined ? `the meter of '${name}' gives no number` : `no number '${metric}' in what the meter of '${name}' gives`}` +
        `${keys === '' ? '' : `; { metric } may be ${keys}`}`,
    )
  }
}

/** What a checkpoint keeps of it. */
interface SavedBest {
  readonly best: Best | null
  readonly files: readonly string[]
}

/** Reads what `stateDict` gave. Fails with code `'io'`, naming `what`, when it is something else. */
export function readBest(what: string, state: StateTree): SavedBest {
  const { best = null, files } = savedRecord(what, state)
  const record = best === null ? null : savedRecord(what, best)
  return {
    best: record && {
      value: savedNumber(what, record, 'value'),
      epoch: savedCount(what, record, 'epoch'),
      step: savedCount(what, record, 'step'),
    },
    files: Array.isArray(files) ? files.map(String).filter((file) => file === fileName(file)) : [],
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

const membersOf = (value: Json | undefined): ReadonlyMap<string, Json> =>
  new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [])

// A node may be called anything; a file may not.
const fileName = (name: string): string => name.replace(/[^\w.+-]/g, '-')
