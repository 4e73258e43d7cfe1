// Runs a list of tasks: one switch over their kinds. The work inside a task is in taskLoop.ts.
import { type CacheAccess, EarlyStop, isStop, type NodeSet, type RunContext, savedRecord, StopAllTasks, stopOf } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'
import type { Control, Stopped } from './control.ts'
import { firstLevel, type Level, loadPlace, nextItem, roundsAt, savePlace, worksAt } from './place.ts'
import { loadRunState, saveRunState } from './runState.ts'
import { innerTasks, type Repeat, type SaveCheckpoint, type SaveOptions, type Task, type TaskGraph, type TaskLike } from './task.ts'
import { CheckpointSeries } from './series.ts'
import { endsMore, TaskLoop } from './taskLoop.ts'

/** What a runner works with. */
export interface RunnerOptions {
  readonly nodes: NodeSet
  readonly context: RunContext
  readonly tasks: readonly TaskLike[]
  readonly control: Control
}

/** Runs tasks over the nodes of a graph, and knows at any time how far it is. */
export class Runner {
  readonly context: RunContext
  readonly series = new CheckpointSeries()
  readonly #graph: TaskGraph
  readonly #tasks: readonly TaskLike[]
  readonly #loop: TaskLoop
  readonly #control: Control
  #levels: Level[] = []
  #stopped: Stopped | null = null

  constructor(graph: TaskGraph, work: RunnerOptions) {
    this.#graph = graph
    this.context = work.context
    this.#tasks = work.tasks
    this.#control = work.control
    this.#loop = new TaskLoop(work)
  }

  /** Every epoch so far, oldest first. */
  get history(): TaskLoop['history'] {
    return this.#loop.history
  }

  /** How the run was stopped before the end of its tasks; null when it was not. */
  get stopped(): Stopped | null {
    return this.#stopped
  }

  /** Runs the tasks from where the run is to their end. */
  async run(): Promise<void> {
    const { events, info } = this.context
    const began = performance.now()
    const end = async (outcome: { error?: unknown }): Promise<void> => {
      events.emit('runEnd', () => ({ seconds: (performance.now() - began) / 1000, ...outcome }))
      await events.settle()
    }
    try {
      events.emit('runStart', () => info)
      await events.settle()
      await this.#tasksThenCleanUp()
    } catch (error) {
      // Listeners that fail, too, add nothing to the error at hand.
      await events.deliver()?.catch(() => {})
      await end({ error }).catch(() => {})
      throw error
    }
    await end({})
  }

  // Every node cleans up, whatever happened; the first error is the one to read.
  async #tasksThenCleanUp(): Promise<void> {
    const errors: unknown[] = []
    const note = (error: unknown): void => void (isStop(error) || errors.push(error))
    const stopsAll = (error: unknown): void => {
      if (isStop(error))
        this.#stopped = this.#control.stopped ?? { by: error instanceof EarlyStop ? 'earlyStop' : 'StopAllTasks', checkpoint: null }
      note(error)
    }
    await this.#list(this.#tasks, 0).catch(stopsAll)
    await this.#loop.cleanUp(note)
    await this.context.events.deliver()?.catch(note)
    if (errors.length > 0) throw errors[0]
  }

  /** Runs iterations as a task that never ends, until one of another graph or mode begins. The outputs of the last survive. */
  step(task: Task): Promise<CacheAccess> {
    return this.#loop.step(task)
  }

  /** Closes what the iterations of `step` left open. */
  endSteps(): Promise<void> {
    return this.#loop.endSteps()
  }

  /** Takes over what `stateDict` gave, so that `run` goes on from there. Fails with code `'graph'` when the tasks are others. */
  loadStateDict(state: StateTree): void {
    const saved = savedRecord('resumeFrom', state)
    this.#levels = loadPlace(this.#tasks, saved['place'])
    this.history.push(...loadRunState(this.context, saved))
  }

  /** What a checkpoint keeps of the run itself. */
  stateDict(): StateTree {
    return { ...saveRunState(this.context, this.history), place: savePlace(this.#tasks, this.#levels) }
  }

  async #list(tasks: readonly TaskLike[], depth: number): Promise<void> {
    const level = (this.#levels[depth] ??= firstLevel())
    for (let item = tasks[level.index]; item !== undefined; item = tasks[level.index]) {
      if (this.#control.isAsked) await this.#control.serve()
      level.begun = true
      await this.#item(item, level, depth)
      nextItem(level)
    }
    if (this.#control.isAsked) await this.#control.serve()
  }

  // Together with what says that the list has been run, so that no checkpoint can be from between the two.
  #leave(depth: number): void {
    this.#levels.length = depth
  }

  async #item(item: TaskLike, level: Level, depth: number): Promise<void> {
    switch (item.kind) {
      case 'task':
        return this.#task(item, level, depth)
      case 'repeat':
        return this.#repeat(item, level, depth)
      case 'saveCheckpoint':
        return void (await this.#graph.saveCheckpoint(saveOptions(item)))
      case 'loadCheckpoint':
        return void (await this.#graph.loadCheckpoint(item.from, { strict: item.strict, tags: item.tags }))
      case 'call':
        return endsMore(await stopOf(async () => item.fn(this.#graph)))
      default:
        item satisfies never
    }
  }

  async #repeat({ times, tasks }: Repeat, level: Level, depth: number): Promise<void> {
    while (level.round < times) {
      const stop = await stopOf(() => this.#list(tasks, depth + 1))
      level.round = stop instanceof EarlyStop ? times : level.round + 1
      this.#leave(depth + 1)
      if (stop instanceof StopAllTasks) throw stop
    }
  }

  async #task(task: Task, level: Level, depth: number): Promise<void> {
    // A resumed run may be in the middle of the task already.
    const levels = this.#levels.slice(0, depth + 1)
    const progress = this.#loop.progressOf(task, { rounds: roundsAt(this.#tasks, levels), works: worksAt(this.#tasks, levels) })
    if (level.saved !== null) progress.loadStateDict(level.saved)
    level.progress = progress
    level.saved = null
    await this.#loop.run(task, progress, { run: () => this.#list(innerTasks(task), depth + 1), over: () => this.#leave(depth + 1) })
  }
}

const saveOptions = ({ to, tags, keep }: SaveCheckpoint): SaveOptions => ({
  ...(to !== null && { to }),
  tags,
  ...(keep !== null && { keep }),
})
