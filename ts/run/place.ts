// A place in nested lists of tasks: what a checkpoint keeps of it, and how a resumed run finds it again.
import { FirnError } from '../errors.ts'
import { type Round, savedCount, savedRecord, type Work } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'
import { endOfList, innerTasks, isRepeated, labelOf, type TaskLike } from './task.ts'
import type { TaskProgress } from './taskProgress.ts'

/** The item at work in one list. */
export interface Level {
  index: number
  /** The round of a repeat. */
  round: number
  /** Whether the item has begun. */
  begun: boolean
  /** How far the item has come if it is a task at work. */
  progress: TaskProgress | null
  /** How far the task had come that a resumed run goes on with. */
  saved: StateTree
}

/** The rounds at work of the repeats around the place, outermost first. */
export function roundsAt(tasks: readonly TaskLike[], levels: readonly Level[]): readonly Round[] {
  const [level, ...inner] = levels
  const item = tasks[level?.index ?? -1]
  if (level === undefined || inner.length === 0) return []
  const rounds = item?.kind === 'repeat' ? [{ round: level.round + 1, times: item.times }] : []
  return [...rounds, ...roundsAt(innerTasks(item), inner)]
}

/** What goes on around the place, outermost first: the run, repeats, trainings in whose middle it is, and a task of several epochs. */
export function worksAt(tasks: readonly TaskLike[], levels: readonly Level[]): readonly Work[] {
  const works: Work[] = [{ label: 'run', key: '' }]
  let list = tasks
  let path = ''
  for (const [depth, { index, round, progress }] of levels.entries()) {
    const item = list[index]
    const isAround = item?.kind === 'repeat' || depth < levels.length - 1 || (item?.kind === 'task' && isRepeated(item))
    if (isAround) works.push({ label: labelOf(item), key: `${path}${index}` })
    path += `${index}:${progress?.steps ?? round}/`
    list = innerTasks(item)
  }
  return works
}

/** The beginning of a list. */
export const firstLevel = (): Level => ({ index: 0, round: 0, begun: false, progress: null, saved: null })

/** Moves on to the next item. */
export function nextItem(level: Level): void {
  Object.assign(level, firstLevel(), { index: level.index + 1 })
}

/**
 * The place as a state; `levels` go from the outermost list inwards. Saved in a task of iterations, the run goes on in it; saved in any
 * other item that has begun, after it.
 */
export function savePlace(tasks: readonly TaskLike[], levels: readonly Level[]): StateTree {
  const innermost = levels.length - 1
  const next = levels.map(({ index, round, begun, progress, saved }, depth) => {
    const state = progress?.stateDict() ?? saved
    const isOver = depth === innermost && begun && state === null
    return isOver ? { index: index + 1, round: 0, progress: null } : { index, round, progress: state }
  })
  const labels = labelsAlong(tasks, next)
  return next.map((level, depth) => ({ ...level, labels: labels[depth] ?? [] }))
}

/** The place that `savePlace` gave, and where these tasks have something else up to it, a line each. */
export function readPlace(
  tasks: readonly TaskLike[],
  saved: StateTree | undefined,
): { readonly levels: Level[]; readonly differences: readonly string[] } {
  if (!Array.isArray(saved)) throw new FirnError('io', 'resumeFrom: the saved state has no list of places where one is expected')
  const records = saved.map((level: StateTree) => savedRecord('resumeFrom', level))
  const levels = records.map((level) => ({
    ...firstLevel(),
    index: savedCount('resumeFrom', level, 'index'),
    round: savedCount('resumeFrom', level, 'round'),
    saved: level['progress'] ?? null,
  }))
  const differences = labelsAlong(tasks, levels).flatMap((labels, depth) => {
    const outer = levels.slice(0, depth).map(({ index }) => index)
    return differencesOf(labels, records[depth]?.['labels'], outer)
  })
  return { levels, differences }
}

// What was at the end of its list may be anything now: a run may go on for longer.
function differencesOf(labels: readonly string[], saved: StateTree | undefined, outer: readonly number[]): string[] {
  const before = savedLabels(saved)
  return labels.flatMap((label, index) => {
    const was = before[index] ?? 'nothing'
    if (was === label || (was === endOfList && index === labels.length - 1)) return []
    return [`tasks: item ${[...outer, index].join('.')} is '${label}', it was '${was}'`]
  })
}

function savedLabels(saved: StateTree | undefined): readonly string[] {
  const labels: readonly StateTree[] = Array.isArray(saved) ? saved : []
  return labels.map((label) => {
    if (typeof label === 'string') return label
    throw new FirnError('io', 'resumeFrom: the saved state has no name of a task where one is expected')
  })
}

// On each level, what the items are from the first to the one at work.
function labelsAlong(tasks: readonly TaskLike[], levels: readonly { readonly index: number }[]): string[][] {
  let list = tasks
  return levels.map(({ index }) => {
    const labels = [...list.slice(0, index), list[index]].map(labelOf)
    list = innerTasks(list[index])
    return labels
  })
}
