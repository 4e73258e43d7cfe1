// When a metric has stopped getting better: patience, and what is stopped then.
import { checkOptions, FirnError } from '../errors.ts'
import type { Json, StateTree } from '../io/index.ts'
import type { RunContext } from './context.ts'
import { savedCount, savedNumber, savedRecord } from './savedState.ts'
import { EarlyStop } from './stop.ts'
import { type Best, loadBest, momentOf, Watched, type WatchedOptions } from './watched.ts'

/** When a MetricNode ends the work that it watches. */
export interface EarlyStopOptions extends WatchedOptions {
  /** Epochs of the node without an improvement after which the work ends. */
  readonly patience: number
  /** What a value has to be better by than the best so far to count as an improvement; one that is not finite never does. @default 0 */
  readonly minDelta?: number
}

/** Why something was stopped early. */
export interface EarlyStopped {
  /** The MetricNode's name. */
  readonly node: string
  /** What was watched: the node's name, and the key of the value if there is one. */
  readonly metric: string
  readonly mode: 'max' | 'min'
  /** The last value. */
  readonly value: number
  /** The best one; null when there was none but NaN. */
  readonly best: Best | null
  readonly patience: number
  readonly minDelta: number
  /** What was ended: `run`, `repeat`, or the label of a task. */
  readonly ended: string
  /** Training epochs and iterations of the run at that time. */
  readonly epoch: number
  readonly step: number
}

/** How one work is doing. */
interface Streak {
  readonly best: Best | null
  /** Epochs since then. */
  readonly waited: number
}

/** Counts epochs without an improvement, for each work that is at work by itself. */
export class Patience {
  readonly #watched: Watched
  readonly #patience: number
  readonly #minDelta: number
  /** By the key of the work. */
  #streaks: ReadonlyMap<string, Streak> = new Map()

  constructor(options: EarlyStopOptions) {
    checkOptions('earlyStop', options, ['metric', 'mode', 'on', 'patience', 'minDelta'])
    const { patience, minDelta = 0 } = options
    this.#watched = new Watched('earlyStop', options)
    if (!Number.isInteger(patience) || patience < 1)
      throw new FirnError('argument', `earlyStop: patience ${patience}, expected a whole number from 1`)
    if (!(minDelta >= 0 && minDelta < Infinity))
      throw new FirnError('argument', `earlyStop: minDelta ${minDelta}, expected a number from 0 on`)
    this.#patience = patience
    this.#minDelta = minDelta
  }

  /** Looks at what the meter of a node says of an epoch. @returns what ends the work when patience is used up */
  look(node: string, result: Json, training: boolean, context: RunContext): EarlyStop | undefined {
    if (!this.#watched.looksAt(training)) return undefined
    const value = this.#watched.valueIn(node, result)
    const works = context.task?.works ?? []
    const work = works.at(-1)
    if (work === undefined) return undefined
    const place = momentOf(context, training)
    const before = this.#streaks.get(work.key) ?? { best: null, waited: 0 }
    const improved = this.#watched.isBetter(value, before.best, this.#minDelta)
    const streak = improved ? { best: { value, ...place }, waited: 0 } : { best: before.best, waited: before.waited + 1 }
    // Works that are over have no say in those that come.
    const others = [...this.#streaks].filter(([key]) => works.some((other) => other.key === key))
    this.#streaks = new Map([...others, [work.key, streak]])
    if (streak.waited < this.#patience) return undefined
    const { mode } = this.#watched
    const metric = this.#watched.labelOf(node)
    const stopped = {
      node,
      metric,
      mode,
      value,
      best: streak.best,
      patience: this.#patience,
      minDelta: this.#minDelta,
      ended: work.label,
      ...place,
    }
    return new EarlyStop(earlyStopLine(stopped), stopped)
  }

  stateDict(): StateTree {
    return Object.fromEntries([...this.#streaks].map(([key, { best, waited }]) => [key, { best: best && { ...best }, waited }]))
  }

  loadStateDict(what: string, state: StateTree | undefined): void {
    const entries = Object.entries(savedRecord(what, state)).map(([key, saved]): [string, Streak] => {
      const streak = savedRecord(what, saved)
      return [key, { best: loadBest(what, streak['best']), waited: savedCount(what, streak, 'waited') }]
    })
    this.#streaks = new Map(entries)
  }
}

/** `score 0.53 is not above 0.61 (epoch 3, step 900) after 5 epochs; ends the repeat`: why something was stopped, in words. */
export function earlyStopLine({ metric, mode, value, best, patience, minDelta, ended }: EarlyStopped): string {
  const by = minDelta === 0 ? '' : ` by more than ${minDelta}`
  const than =
    best === null
      ? 'no number'
      : `not ${mode === 'max' ? 'above' : 'below'} ${short(best.value)} (epoch ${best.epoch}, step ${best.step})${by}`
  return `${metric} ${short(value)} is ${than}, ${patience} ${patience === 1 ? 'epoch' : 'epochs'} in a row; this ends: ${ended}`
}

/** Stops that a checkpoint holds, read back. */
export function loadEarlyStops(saved: StateTree | undefined): EarlyStopped[] {
  const what = 'checkpoint: early stops'
  return (Array.isArray(saved) ? saved : []).map((state: StateTree) => {
    const record = savedRecord(what, state)
    return {
      node: String(record['node']),
      metric: String(record['metric']),
      mode: record['mode'] === 'max' ? 'max' : 'min',
      value: savedNumber(what, record, 'value'),
      best: loadBest(what, record['best']),
      patience: savedCount(what, record, 'patience'),
      minDelta: savedNumber(what, record, 'minDelta'),
      ended: String(record['ended']),
      epoch: savedCount(what, record, 'epoch'),
      step: savedCount(what, record, 'step'),
    }
  })
}

const short = (value: number): string => String(Number(value.toPrecision(6)))
