// What is said of an error in a hook: which node, in which event, of which task and iteration.
import { FirnError } from '../errors.ts'
import type { TaskInfo } from './context.ts'
import { isStop } from './stop.ts'

/** A call of a node's hook. */
export interface HookPlace {
  /** Of the node. */
  readonly name: string
  readonly event: string
  readonly task: TaskInfo | null
}

/** A place as errors name it. */
export function placeInWords({ name, event, task }: HookPlace): string {
  return `node '${name}' in ${event}${task === null ? '' : ` of '${task.label}', iteration ${task.epochSteps}`}`
}

const blamed = new WeakSet<Error>()

/** The error with its place, and itself as cause; stops, and errors that have a place from a node further in, stay as they are. */
export function blame(error: unknown, { name, event, task }: HookPlace): unknown {
  if (isStop(error) || (error instanceof Error && blamed.has(error))) return error
  const told = new FirnError(
    error instanceof FirnError ? error.code : 'graph',
    `${placeInWords({ name, event, task })}: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error },
  )
  blamed.add(told)
  return told
}

/** Fails with code `'graph'` when a hook that has to be synchronous returned a promise. */
export function refusePromise(result: unknown): void {
  if (!(result instanceof Promise)) return
  result.catch(() => {}) // The error below is the one to read.
  throw new FirnError(
    'graph',
    'returned a promise; an iteration is synchronous, because its tensors are freed at its end. Await in prepare, epochStart or epochEnd, or listen to iterationEnd',
  )
}
