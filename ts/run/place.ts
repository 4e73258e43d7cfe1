// A place in nested lists of tasks: what a checkpoint keeps of it, and how a resumed run finds it again.
import { FirnError } from '../errors.ts'
import { type Round, savedNumber, savedRecord } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'
import { labelOf, type TaskLike } from './task.ts'

/** The item at work in one list, and its round if it is a repeat. */
export interface Level {
  index: number
  round: number
}

/** The rounds at work of the repeats around the place, outermost first. */
export function roundsAt(tasks: readonly TaskLike[], levels: readonly Level[]): readonly Round[] {
  const [level, ...inner] = levels
  const item = tasks[level?.index ?? -1]
  if (level === undefined || item?.kind !== 'repeat' || inner.length === 0) return []
  return [{ round: level.round + 1, times: item.times }, ...roundsAt(item.tasks, inner)]
}

/** The place as a state; `levels` go from the outermost list inwards. */
export function savePlace(tasks: readonly TaskLike[], levels: readonly Level[]): StateTree {
  const labels = labelsAlong(tasks, levels)
  return levels.map(({ index, round }, depth) => ({ index, round, label: labels[depth] ?? '' }))
}

/** The place that `savePlace` gave. Fails with code `'graph'` when these tasks have something else there. */
export function loadPlace(tasks: readonly TaskLike[], saved: StateTree | undefined): Level[] {
  const records = (Array.isArray(saved) ? saved : []).map((level: StateTree) => savedRecord('resumeFrom', level))
  const levels = records.map((level) => ({
    index: savedNumber('resumeFrom', level, 'index'),
    round: savedNumber('resumeFrom', level, 'round'),
  }))
  for (const [depth, label] of labelsAlong(tasks, levels).entries()) {
    const before = records[depth]?.['label']
    if (before === label) continue
    const path = levels
      .slice(0, depth + 1)
      .map(({ index }) => index)
      .join('.')
    throw new FirnError(
      'graph',
      `resumeFrom: item ${path} of the tasks is '${label}', it was '${String(before)}' when saved; give the list of the run that was stopped`,
    )
  }
  return levels
}

function labelsAlong(tasks: readonly TaskLike[], levels: readonly Level[]): string[] {
  let list = tasks
  return levels.map(({ index }) => {
    const item = list[index]
    list = item?.kind === 'repeat' ? item.tasks : []
    return labelOf(item)
  })
}
