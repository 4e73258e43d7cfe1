// Runs a list of tasks: one switch over their kinds, and the loop inside a task.
import { setImmediate } from 'node:timers/promises'
import { FirnError } from '../errors.ts'
import { type AnyNode, type CacheAccess, type EpochRecord, type ExecutableGraph, isStop, type NodeSet } from '../graph/index.ts'
import { type RunContext, savedNumber, savedRecord, type Stop, StopAllTasks, stopOf } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'
import { rngState, setRngState } from '../tensor/index.ts'
import { loadHistory, loadMetrics } from './history.ts'
import { loadScaler } from './loadScaler.ts'
import { type Level, loadPlace, roundsAt, savePlace } from './place.ts'
import { TaskProgress } from './taskProgress.ts'
import type { Task, TaskGraph, TaskLike } from './task.ts'

// Timers, signals and whoever draws wait no longer than this for the loop.
const breathMs = 50

/** Runs tasks over the nodes of a graph, and knows at any time how far it is. */
export class Runner {
  readonly context: RunContext
  readonly history: EpochRecord[] = []
  readonly #graph: TaskGraph
  readonly #nodes: NodeSet
  readonly #tasks: readonly TaskLike[]
  readonly #used = new Set<ExecutableGraph>()
  #levels: Level[] = []
  #progress: TaskProgress | null = null
  /** How far the task was that a resumed run begins with. */
  #resumed: StateTree = null
  #prepared: { readonly graph: ExecutableGraph; readonly training: boolean } | null = null
  #breath = performance.now()

  constructor(graph: TaskGraph, nodes: NodeSet, context: RunContext, tasks: readonly TaskLike[]) {
    this.#graph = graph
    this.#nodes = nodes
    this.context = context
    this.#tasks = tasks
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
    await this.#list(this.#tasks, 0).catch(note)
    const done = new Set<AnyNode>()
    for (const graph of this.#used) await graph.fire('cleanUp', done).catch(note)
    if (errors.length > 0) throw errors[0]
  }

  /** Runs iterations as a task that never ends, until one of another graph or mode begins. The outputs of the last survive. */
  async step(task: Task): Promise<CacheAccess> {
    const graph = this.#nodes.graph(task.tags)
    if (!this.#isPrepared(graph, task.train)) await this.endSteps()
    const progress = this.#progressOf(task, graph)
    await this.#begin(graph, progress)
    const iterations = task.count * this.context.gradAccSteps
    await stopOf(async () => {
      await this.#iterate(graph, progress, iterations, true)
      await this.context.events.deliver()
    })
    return graph.outputs
  }

  /** Closes what the iterations of `step` left open. */
  async endSteps(): Promise<void> {
    await this.#prepared?.graph.fire('taskEnd')
  }

  /** Takes over what `stateDict` gave, so that `run` goes on from there. Fails with code `'graph'` when the tasks are others. */
  loadStateDict(state: StateTree): void {
    const what = 'resumeFrom'
    const saved = savedRecord(what, state)
    const counters = savedRecord(what, saved['counters'])
    const { context } = this
    context.counters.trainIterations = savedNumber(what, counters, 'trainIterations')
    context.counters.evalIterations = savedNumber(what, counters, 'evalIterations')
    context.counters.trainEpochs = savedNumber(what, counters, 'trainEpochs')
    for (const [name, value] of Object.entries(loadMetrics(saved['metrics']))) context.metrics.set(name, value)
    this.history.push(...loadHistory(saved['history']))
    this.#levels = loadPlace(this.#tasks, saved['place'])
    this.#resumed = saved['progress'] ?? null
    loadScaler(context.gradScaler, saved['gradScaler'] ?? null)
    const rng = savedRecord(what, saved['rng'])
    setRngState({ seed: String(rng['seed']), calls: savedNumber(what, rng, 'calls') })
  }

  /** What a checkpoint keeps of the run itself. */
  stateDict(): StateTree {
    const { counters, metrics, info, gradScaler } = this.context
    return {
      gradScaler: gradScaler && { ...gradScaler.stateDict(), found: gradScaler.found },
      seed: info.seed,
      rng: { ...rngState() },
      counters: { ...counters },
      metrics: Object.fromEntries(metrics),
      history: this.history.map((record) => ({ ...record })),
      place: savePlace(this.#tasks, this.#nextLevels()),
      progress: this.#progress?.stateDict() ?? this.#resumed,
    }
  }

  async #list(tasks: readonly TaskLike[], depth: number): Promise<void> {
    const level = (this.#levels[depth] ??= { index: 0, round: 0 })
    for (let item = tasks[level.index]; item !== undefined; item = tasks[level.index]) {
      await this.#item(item, level, depth)
      level.index += 1
      level.round = 0
    }
    if (depth > 0) this.#levels.length = depth
  }

  async #item(item: TaskLike, level: Level, depth: number): Promise<void> {
    switch (item.kind) {
      case 'task':
        return this.#task(item)
      case 'repeat':
        for (; level.round < item.times; level.round++) await this.#list(item.tasks, depth + 1)
        return
      case 'saveCheckpoint':
        return void (await this.#graph.saveCheckpoint({ ...(item.to === null ? {} : { to: item.to }), tags: item.tags }))
      case 'loadCheckpoint':
        return void (await this.#graph.loadCheckpoint(item.from, { strict: item.strict, tags: item.tags }))
      case 'call':
        return endsRun(await stopOf(async () => item.fn(this.#graph)))
      default:
        item satisfies never
    }
  }

  async #task(task: Task): Promise<void> {
    const graph = this.#nodes.graph(task.tags)
    const progress = this.#progressOf(task, graph)
    if (this.#resumed !== null) progress.loadStateDict(this.#resumed)
    this.#resumed = null
    this.#progress = progress
    const early = await stopOf(() => this.#begin(graph, progress))
    const { events } = this.context
    events.emit('taskStart', () => progress)
    const stop = early ?? (await stopOf(() => this.#epochs(task, graph, progress)))
    await graph.fire('taskEnd')
    await events.deliver()
    events.emit('taskEnd', () => progress)
    await events.settle()
    this.context.task = null
    this.#progress = null
    endsRun(stop)
  }

  // A task of steps is one epoch that nobody needs to notice.
  async #epochs(task: Task, graph: ExecutableGraph, progress: TaskProgress): Promise<void> {
    if (task.by === 'steps') {
      if (progress.epochs === 0) await this.#epoch(graph, progress, task.count * this.context.gradAccSteps, task.simulateEpoch)
    } else {
      while (progress.epochs < task.count) await this.#epoch(graph, progress, progress.epochSize, true)
    }
  }

  async #epoch(graph: ExecutableGraph, progress: TaskProgress, iterations: number, noticed: boolean): Promise<void> {
    const { counters, events, metrics } = this.context
    const early = await stopOf(async () => {
      const fresh = !progress.open
      progress.begin()
      if (noticed && fresh) {
        metrics.clear()
        events.emit('epochStart', () => progress)
        await graph.fire('epochStart')
      }
      await this.#iterate(graph, progress, iterations)
    })
    const late = await stopOf(async () => {
      if (noticed) await graph.fire('epochEnd')
      await events.deliver()
    })
    progress.end()
    if (noticed) {
      if (progress.training) counters.trainEpochs += 1
      const record = this.#record(graph, progress)
      this.history.push(record)
      events.emit('epochEnd', () => record)
      await events.settle()
    }
    const stop = early ?? late
    if (stop !== undefined) throw stop
  }

  /** @param keep whether the outputs of the last iteration survive it */
  async #iterate(graph: ExecutableGraph, progress: TaskProgress, iterations: number, keep = false): Promise<void> {
    const { events } = this.context
    while (progress.epochSteps < iterations) {
      const pending = graph.ready()
      if (pending !== undefined) await pending
      events.emit('iterationStart', () => progress)
      const stop = graph.iterate(keep && progress.epochSteps === iterations - 1)
      progress.epochSteps += 1
      events.emit('iterationEnd', () => progress)
      const listeners = events.settle()
      if (listeners !== undefined) await listeners
      if (performance.now() - this.#breath > breathMs) await this.#breathe()
      if (stop !== undefined) throw stop
    }
  }

  // Values are read meanwhile and reach their listeners when they are there.
  async #breathe(): Promise<void> {
    const { late } = this.context.events
    if (late.isDue) void late.flush()
    await setImmediate()
    this.#breath = performance.now()
  }

  #progressOf(task: Task, graph: ExecutableGraph): TaskProgress {
    const { gradAccSteps, counters } = this.context
    return new TaskProgress(task, { window: gradAccSteps, counters, graph, rounds: roundsAt(this.#tasks, this.#levels) })
  }

  async #begin(graph: ExecutableGraph, progress: TaskProgress): Promise<void> {
    this.context.task = progress
    progress.epochSize = progress.stepMode ? 0 : sizeOfEpoch(graph)
    if (this.#isPrepared(graph, progress.training)) return
    this.#used.add(graph)
    this.#prepared = null
    await graph.prepare(this.context)
    this.#prepared = { graph, training: progress.training }
  }

  #isPrepared(graph: ExecutableGraph, training: boolean): boolean {
    return this.#prepared?.graph === graph && this.#prepared.training === training
  }

  #record(graph: ExecutableGraph, progress: TaskProgress): EpochRecord {
    const { counters, metrics } = this.context
    return {
      label: progress.label,
      training: progress.training,
      tags: progress.tags,
      epoch: counters.trainEpochs,
      step: counters.trainIterations,
      iterations: progress.epochSteps,
      samples: graph.samples,
      seconds: progress.seconds,
      metrics: Object.fromEntries(metrics),
    }
  }

  // Saved in a task of iterations, the run goes on in it; saved in any other item, after it.
  #nextLevels(): Level[] {
    const levels = this.#levels.map((level) => ({ ...level }))
    const last = levels.at(-1)
    if (last !== undefined && this.#progress === null && this.#resumed === null) {
      last.index += 1
      last.round = 0
    }
    return levels
  }
}

function sizeOfEpoch(graph: ExecutableGraph): number {
  const size = graph.epochSize
  if (size !== undefined) return size
  throw new FirnError(
    'graph',
    `a task of epochs needs a node that has an end, such as a DatasetNode; tags '${graph.tags.join(',')}' select none. Give steps instead`,
  )
}

function endsRun(stop: Stop | undefined): void {
  if (stop instanceof StopAllTasks) throw stop
}
