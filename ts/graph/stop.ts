// How a hook or a listener ends a task or a run from inside.
import type { EarlyStopped } from './earlyStop.ts'

/**
 * Thrown from a hook to end the task at hand. In `forward` the iteration is given up and not counted; in `backward` and `update` the
 * other nodes finish the phase first. `epochEnd` is called in an epoch; the next task follows.
 *
 * @example
 * new Node({ update: (n) => { if (n.globalTrainSteps === 100) throw new StopTask('enough') } })
 */
export class StopTask extends Error {
  override readonly name = 'StopTask'
}

/** Thrown like `StopTask`, to end the whole run; `graph.run` then returns as usual. */
export class StopAllTasks extends Error {
  override readonly name = 'StopAllTasks'
}

/** Ends the work around a node whose metric has stopped getting better: `earlyStop` of a MetricNode. */
export class EarlyStop extends Error {
  override readonly name = 'EarlyStop'
  /** What the run is to tell of it; null when that was done before the run was resumed. */
  readonly why: EarlyStopped | null

  constructor(message: string, why: EarlyStopped | null = null) {
    super(message)
    this.why = why
  }
}

// From the one that ends least.
const kinds = [StopTask, EarlyStop, StopAllTasks] as const

/** What ends a task without being an error. */
export type Stop = StopTask | EarlyStop | StopAllTasks

/** True for those that are not errors. */
export const isStop = (error: unknown): error is Stop => kinds.some((kind) => error instanceof kind)

/** The one that ends most; undefined when there is none. */
export function firstStop(stops: readonly (Stop | undefined)[]): Stop | undefined {
  const weight = (stop: Stop): number => kinds.findIndex((kind) => stop instanceof kind)
  return stops.filter((stop) => stop !== undefined).toSorted((a, b) => weight(b) - weight(a))[0]
}

/** What ended the work early, if something did that is no error. */
export async function stopOf(work: () => Promise<void>): Promise<Stop | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (isStop(error)) return error
    throw error
  }
}
