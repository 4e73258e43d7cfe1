// How a hook or a listener ends a task or a run from inside.

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

/** What ends a task without being an error. */
export type Stop = StopTask | StopAllTasks

/** True for the two that are not errors. */
export const isStop = (error: unknown): error is Stop => error instanceof StopTask || error instanceof StopAllTasks

/** The one that weighs most: the end of the run before that of a task. */
export const firstStop = (stops: readonly Stop[]): Stop | undefined => stops.find((stop) => stop instanceof StopAllTasks) ?? stops[0]

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
