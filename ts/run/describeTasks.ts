// A list of tasks in words.
import type { Task, TaskLike } from './task.ts'

/**
 * A list of tasks as text, an item a line, what is within another indented; where it is repeated, with what that comes to in all.
 *
 * @example
 * describeTasks([repeat(3, [train({ epochs: 2, tags: 'train' }), evaluate({ epochs: 1, tags: 'val' }), saveCheckpoint({ keep: 2 })])])
 * // repeat 3 times
 * //   train 2 epochs, tags train (6 epochs in all)
 * //   evaluate 1 epoch, tags val (3 epochs in all)
 * //   save a checkpoint, keep 2 (3 in all)
 */
export const describeTasks = (tasks: readonly TaskLike[]): string => taskLines(tasks).join('\n')

/** The lines of `describeTasks`. */
export const taskLines = (tasks: readonly TaskLike[]): readonly string[] => linesOf(tasks, 1)

/** @param times how often the list is run; null where only the data tell */
function linesOf(tasks: readonly TaskLike[], times: number | null): string[] {
  return tasks.flatMap((item) => [lineOf(item, times), ...within(item, times).map((line) => `  ${line}`)])
}

function within(item: TaskLike, times: number | null): string[] {
  if (item.kind === 'repeat') return linesOf(item.tasks, times && times * item.times)
  if (item.kind !== 'task' || item.every === null) return []
  const { steps, tasks } = item.every
  const rounds = item.by === 'steps' && times !== null ? times * Math.floor(item.count / steps) : null
  return [`every ${counted(steps, 'step')}`, ...linesOf(tasks, rounds).map((line) => `  ${line}`)]
}

function lineOf(item: TaskLike, times: number | null): string {
  switch (item.kind) {
    case 'task':
      return `${item.train ? 'train' : 'evaluate'} ${lengthOf(item, 1)}${tagsOf(item)}${item.simulateEpoch ? ', as an epoch' : ''}${inAll(times, (n) => lengthOf(item, n))}`
    case 'repeat':
      return `repeat ${counted(item.times, 'time')}${inAll(times, (n) => String(n * item.times))}`
    case 'saveCheckpoint':
      return `save a checkpoint${item.to === null ? '' : ` to ${item.to}`}${tagsOf(item)}${item.keep === null ? '' : `, keep ${item.keep}`}${inAll(times, String)}`
    case 'loadCheckpoint':
      return `load ${item.from}${tagsOf(item)}${item.strict ? ', strict' : ''}${inAll(times, String)}`
    case 'call':
      return `call ${item.fn.name === '' ? 'a function' : item.fn.name}${inAll(times, String)}`
    default:
      return item satisfies never
  }
}

const lengthOf = ({ by, count }: Task, times: number): string => counted(count * times, by === 'epochs' ? 'epoch' : 'step')

const tagsOf = ({ tags }: { readonly tags: readonly string[] }): string => (tags.join() === '*' ? '' : `, tags ${tags.join(',')}`)

const inAll = (times: number | null, say: (times: number) => string): string =>
  times === null || times < 2 ? '' : ` (${say(times)} in all)`

const counted = (count: number, unit: string): string => `${count.toLocaleString('en-US')} ${unit}${count === 1 ? '' : 's'}`
