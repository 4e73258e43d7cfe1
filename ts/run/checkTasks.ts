// What is given as a list of tasks is looked at before anything runs: one that is none would be passed over.
import { FirnError } from '../errors.ts'
import type { TaskLike } from './task.ts'

const kinds: Readonly<Record<TaskLike['kind'], true>> = { task: true, repeat: true, saveCheckpoint: true, loadCheckpoint: true, call: true }

/** The functions that make tasks. */
const makers: readonly string[] = ['train', 'evaluate', ...Object.keys(kinds)]

/** Fails with code `'argument'` on what is no list of tasks, saying which of its items is none. */
export function checkTasks(what: string, tasks: unknown): void {
  if (!Array.isArray(tasks))
    throw new FirnError('argument', `${what}: ${inWords(tasks)} given, expected a list of tasks: [train({ epochs: 1 })]`)
  for (const [i, item] of tasks.entries()) {
    if (isTask(item)) continue
    const remedy =
      typeof item !== 'function'
        ? `expected what ${makers.join(', ')} return`
        : makers.includes(item.name)
          ? `call it: ${item.name}(...)`
          : 'give it to call'
    throw new FirnError('argument', `${what}: item ${i} of the tasks is ${inWords(item)}; ${remedy}`)
  }
}

const isTask = (item: unknown): boolean =>
  typeof item === 'object' && item !== null && 'kind' in item && typeof item.kind === 'string' && Object.hasOwn(kinds, item.kind)

function inWords(given: unknown): string {
  if (isTask(given)) return 'one task'
  if (typeof given === 'function') return `the function ${given.name || 'without a name'}`
  return Array.isArray(given) ? 'a list' : String(given)
}
