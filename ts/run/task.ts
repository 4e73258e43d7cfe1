// Tasks: what a run is made of, as plain frozen data.
import { checkOptions, FirnError } from '../errors.ts'
import { type AnyNode, tagList, type Tags } from '../graph/index.ts'
import { checkTasks } from './checkTasks.ts'

/** A task's length: passes over the data, or updates. */
export type Length = { readonly epochs: number; readonly steps?: never } | { readonly steps: number; readonly epochs?: never }

/** Tasks in the middle of a training task. */
export interface Every {
  /**
   * Updates from one time to the next, counted in the task as its `steps` are; those that a `gradScaler` skips count too. While a window of
   * iterations is open they wait for its end. Those due with the last update of an epoch come when that has ended.
   */
  readonly steps: number
  /** What is done each time, in this order. */
  readonly tasks: readonly TaskLike[]
}

/** Options of `evaluate`. */
export type TaskOptions = Length & {
  /** Which nodes take part. @default '*' */
  readonly tags?: Tags
  /** Whether a task of steps calls the nodes' `epochStart` and `epochEnd` around it. @default false */
  readonly simulateEpoch?: boolean
}

/** Options of `train`. */
export type TrainOptions = TaskOptions & {
  /**
   * Tasks to run in the middle of this one, after every so many updates and not once more at its end. Modules, meters, the record of the
   * epoch and the place in the data are afterwards as they were. @default none
   */
  readonly every?: Every
}

/** Iterations over the nodes that the tags select. */
export interface Task {
  readonly kind: 'task'
  readonly train: boolean
  readonly by: 'epochs' | 'steps'
  readonly count: number
  readonly tags: readonly string[]
  readonly simulateEpoch: boolean
  readonly every: Every | null
}

/** Tasks one after another, several times. */
export interface Repeat {
  readonly kind: 'repeat'
  readonly times: number
  readonly tasks: readonly TaskLike[]
}

/** Writes a checkpoint. */
export interface SaveCheckpoint {
  readonly kind: 'saveCheckpoint'
  /** Null: `ckpts/E<epochs>S<steps>.safetensors` in the run's folder. */
  readonly to: string | null
  readonly tags: readonly string[]
  /** How many of those with names of their own stay; null: all. */
  readonly keep: number | null
}

/** Options of `saveCheckpoint`. */
export interface SaveOptions {
  /** The file; a relative path starts in the run's `ckpts`. @default `E<epochs>S<steps>.safetensors` */
  readonly to?: string
  /** Whose states are saved. @default '*' */
  readonly tags?: Tags
  /** How many checkpoints that this run saved with `keep` stay, the newest; older ones are deleted. Not with `to`. @default all */
  readonly keep?: number
}

/** Reads the nodes' states from a checkpoint; counters and random streams stay as they are. */
export interface LoadCheckpoint {
  readonly kind: 'loadCheckpoint'
  readonly from: string
  readonly strict: boolean
  readonly tags: readonly string[]
}

/** Calls a function. */
export interface Call {
  readonly kind: 'call'
  readonly fn: CallFunction
}

/** The graph as tasks know it: without the types of its outputs. */
export interface TaskGraph {
  get(uid: string): AnyNode
  explain(query?: Tags): string
  saveCheckpoint(options?: SaveOptions): Promise<string>
  loadCheckpoint(from: string, options?: { readonly strict?: boolean; readonly tags?: Tags }): Promise<readonly string[]>
}

/** What `call` calls; waited for when it is async. */
export type CallFunction = (graph: TaskGraph) => void | Promise<void>

/** Anything that a run can do. */
export type TaskLike = Task | Repeat | SaveCheckpoint | LoadCheckpoint | Call

/** Iterations that train or not. @example task({ train: true, steps: 100, tags: 'train', simulateEpoch: true }) */
export function task(options: TrainOptions & { readonly train: boolean }): Task {
  checkOptions('task', options, ['train', 'epochs', 'steps', 'tags', 'simulateEpoch', 'every'])
  const { train, epochs, steps, tags = '*', simulateEpoch = false } = options
  if ((epochs === undefined) === (steps === undefined)) {
    throw new FirnError('argument', `task: epochs ${epochs} and steps ${steps}, expected exactly one of them`)
  }
  if (simulateEpoch && steps === undefined)
    throw new FirnError('argument', 'task: simulateEpoch is for a task of steps; one of epochs has its own')
  const by = steps === undefined ? 'epochs' : 'steps'
  const every = options.every === undefined ? null : readEvery(options.every, train)
  return Object.freeze({ kind: 'task', train, by, count: whole(by, steps ?? epochs), tags: tagList(tags), simulateEpoch, every })
}

/**
 * Training; with `every`, other tasks in the middle of it.
 *
 * @example
 * train({ epochs: 3, tags: 'train' })
 * train({ steps: 10_000, tags: 'train', every: { steps: 500, tasks: [evaluate({ epochs: 1, tags: 'val' }), saveCheckpoint({ keep: 2 })] } })
 */
export const train = (options: TrainOptions): Task => task({ ...options, train: true })

/** Iterations without gradients or updates, and with modules in evaluation mode. @example evaluate({ epochs: 1, tags: 'val' }) */
export const evaluate = (options: TaskOptions): Task => task({ ...options, train: false })

/** Tasks one after another, `times` times. @example repeat(3, [train({ epochs: 1 }), saveCheckpoint()]) */
export function repeat(times: number, tasks: readonly TaskLike[]): Repeat {
  checkTasks('repeat', tasks)
  return Object.freeze({ kind: 'repeat', times: whole('times', times), tasks: Object.freeze([...tasks]) })
}

/** Saves the states of the nodes that the tags select, and how far the run has come. @example saveCheckpoint({ keep: 3 }) */
export function saveCheckpoint(options: SaveOptions = {}): SaveCheckpoint {
  const { to = null, tags = '*', keep = null } = checkSaveOptions('saveCheckpoint', options)
  return Object.freeze({ kind: 'saveCheckpoint', to, tags: tagList(tags), keep })
}

/** Fails with code `'argument'` when the options mean nothing. */
export function checkSaveOptions(what: string, options: SaveOptions): SaveOptions {
  checkOptions(what, options, ['to', 'tags', 'keep'])
  const { to, keep } = options
  if (keep === undefined) return options
  if (!Number.isInteger(keep) || keep < 1) throw new FirnError('argument', `${what}: keep ${keep}, expected a whole number from 1`)
  if (to !== undefined)
    throw new FirnError('argument', `${what}: keep goes with names of their own, and 'to' gives one name to all; leave one out`)
  return options
}

/**
 * Loads the states of the nodes that the tags select, from a file, or the newest file of a folder. With `strict` (not by default)
 * any difference is an error. To go on with a run where it stopped, give `resumeFrom` to `graph.run` instead.
 *
 * @example
 * loadCheckpoint({ from: 'pretrained.safetensors', tags: 'net' })
 */
export function loadCheckpoint(options: { readonly from: string; readonly strict?: boolean; readonly tags?: Tags }): LoadCheckpoint {
  checkOptions('loadCheckpoint', options, ['from', 'strict', 'tags'])
  return Object.freeze({ kind: 'loadCheckpoint', from: options.from, strict: options.strict ?? false, tags: tagList(options.tags ?? '*') })
}

/** Calls a function between two tasks. @example call((graph) => console.log(graph.explain('train'))) */
export function call(fn: CallFunction): Call {
  if (typeof fn !== 'function') throw new FirnError('argument', `call: ${String(fn)} given, expected a function`)
  return Object.freeze({ kind: 'call', fn })
}

/** The list within an item: that of a repeat, or that in the middle of a training task. */
export function innerTasks(item: TaskLike | undefined): readonly TaskLike[] {
  if (item?.kind === 'repeat') return item.tasks
  return item?.kind === 'task' ? (item.every?.tasks ?? []) : []
}

/** Whether a task does the same again and again by itself. */
export const isRepeated = (task: Task): boolean => task.by === 'epochs' && task.count > 1

/** The label of no item. */
export const endOfList = 'the end of the list'

/** What a task is, without how long: a resumed list has to have the same where the run stopped. */
export function labelOf(item: TaskLike | undefined): string {
  if (item === undefined) return endOfList
  if (item.kind === 'task') return `${item.train ? 'train' : 'evaluate'} by ${item.by}, tags ${item.tags.join(',')}`
  return item.kind
}

function readEvery(every: Every, train: boolean): Every {
  checkOptions('task: every', every, ['steps', 'tasks'])
  checkTasks('task: every', every.tasks)
  if (!train) throw new FirnError('argument', 'task: every counts updates, and an evaluation makes none; leave it out')
  checkTasks('task: every', every.tasks)
  return Object.freeze({ steps: whole('every.steps', every.steps), tasks: Object.freeze([...every.tasks]) })
}

function whole(name: string, value: number | undefined): number {
  if (value !== undefined && Number.isInteger(value) && value >= 1) return value
  throw new FirnError('argument', `task: ${name} ${value}, expected a whole number from 1`)
}
