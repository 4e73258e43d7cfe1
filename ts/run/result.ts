// What a run leaves.
import type { EarlyStopped, EpochRecord } from '../graph/index.ts'
import type { Json } from '../io/index.ts'
import type { Stopped } from './control.ts'

/** Values that nodes reported, by node name. */
export type Metrics = Readonly<Record<string, Json>>

/** What `graph.run` returns. */
export interface RunResult {
  /** The run's folder, with `ckpts`, `logs` and `src`. */
  readonly outDir: string
  /** The last value of everything that was reported at the end of an epoch, in training and in evaluation. */
  readonly metrics: { readonly train: Metrics; readonly eval: Metrics }
  /** Every epoch, oldest first; that of a resumed run begins before it was stopped. */
  readonly history: readonly EpochRecord[]
  /** How the run was stopped before the end of its tasks; null when it was not. */
  readonly stopped: Stopped | null
  /** What `earlyStop` of MetricNodes ended, and why; oldest first. */
  readonly earlyStops: readonly EarlyStopped[]
}

/** The result of a run. */
export function resultOf(run: Omit<RunResult, 'metrics'>): RunResult {
  const { history } = run
  const last = (training: boolean): Metrics =>
    Object.assign({}, ...history.filter((epoch) => epoch.training === training).map((epoch) => epoch.metrics))
  return { ...run, metrics: { train: last(true), eval: last(false) } }
}
