// The work inside a task: prepare, epochs, iterations, and the ends of them.
import { setImmediate } from 'node:timers/promises'
import { FirnError } from '../errors.ts'
import { type AnyNode, type CacheAccess, type EpochRecord, type ExecutableGraph, type NodeSet, placeOf } from '../graph/index.ts'
import { EarlyStop, firstStop, type Round, type RunContext, type Stop, StopAllTasks, stopOf, StopTask, type Work } from '../graph/index.ts'
import type { Control } from './control.ts'
import { epochState, loadEpochState } from './epochState.ts'
import { isRepeated, type Task } from './task.ts'
import { TaskProgress } from './taskProgress.ts'

// Timers, signals and whoever draws wait no longer than this for the loop.
const breathMs = 50

/** What goes on around a task. */
interface Around {
  readonly rounds: readonly Round[]
  readonly works: readonly Work[]
}

/** What the loop works with. */
export interface LoopOptions {
  readonly nodes: NodeSet
  readonly context: RunContext
  readonly control: Control
}

/** The tasks in the middle of a training task. */
export interface Interlude {
  /** Runs them, or what is left of them. */
  run(): Promise<void>
  /** Forgets the place in them: next time they begin anew. */
  over(): void
}

/** A task at work. */
interface AtWork {
  readonly task: Task
  readonly graph: ExecutableGraph
  readonly progress: TaskProgress
  readonly interlude: Interlude
}

const noInterlude: Interlude = { run: async () => {}, over: () => {} }

/** Runs one task after another over the nodes of a graph. */
export class TaskLoop {
  readonly context: RunContext
  /** Every epoch so far, oldest first. */
  readonly history: EpochRecord[] = []
  readonly #nodes: NodeSet
  readonly #control: Control
  readonly #used = new Set<ExecutableGraph>()
  #prepared: { readonly graph: ExecutableGraph; readonly training: boolean } | null = null
  /** Whether the graph that is prepared has yet to be told of. */
  #untold = false
  #breath = performance.now()

  constructor({ nodes, context, control }: LoopOptions) {
    this.#nodes = nodes
    this.context = context
    this.#control = control
  }

  /** A task before its first iteration. */
  progressOf(task: Task, { rounds, works }: Around = { rounds: [], works: [] }): TaskProgress {
    const { gradAccSteps: window, counters } = this.context
    return new TaskProgress(task, { window, counters, graph: this.#nodes.graph(task.tags), rounds, works })
  }

  /** Runs a task from where it is to its end. */
  async run(task: Task, progress: TaskProgress, interlude: Interlude): Promise<void> {
    const { events } = this.context
    const graph = this.#nodes.graph(task.tags)
    const work = { task, graph, progress, interlude }
    const early = await stopOf(() => this.#begin(graph, progress))
    events.emit('taskStart', () => progress)
    const stop = early ?? (await stopOf(() => this.#epochs(work)))
    const late = await stopOf(async () => {
      await graph.fire('taskEnd')
      await events.deliver()
    })
    const last = await stopOf(async () => {
      events.emit('taskEnd', () => progress)
      await events.settle()
    })
    this.context.task = null
    const end = firstStop([stop, late, last])
    if (!(end instanceof EarlyStop && isRepeated(task))) endsMore(end)
  }

  /** Runs iterations as a task that never ends, until one of another graph or mode begins. The outputs of the last survive. */
  async step(task: Task): Promise<CacheAccess> {
    const graph = this.#nodes.graph(task.tags)
    if (!this.#isPrepared(graph, task.train)) await this.endSteps()
    const progress = this.progressOf(task)
    await this.#begin(graph, progress)
    const iterations = task.count * this.context.gradAccSteps
    await stopOf(async () => {
      await this.#iterate({ task, graph, progress, interlude: noInterlude }, iterations, true)
      await this.context.events.deliver()
    })
    return graph.outputs
  }

  /** Closes what the iterations of `step` left open. */
  async endSteps(): Promise<void> {
    await this.#prepared?.graph.fire('taskEnd')
  }

  /** Lets every node that ran clean up, once; `note` is told what goes wrong. */
  async cleanUp(note: (error: unknown) => void): Promise<void> {
    const done = new Set<AnyNode>()
    for (const graph of this.#used) await graph.fire('cleanUp', done).catch(note)
  }

  // A task of steps is one epoch that nobody needs to notice.
  async #epochs(work: AtWork): Promise<void> {
    const { task, progress } = work
    const bySteps = task.by === 'steps'
    const epochs = bySteps ? 1 : task.count
    for (;;) {
      if (!progress.open) {
        if (progress.stop !== null) throw progress.stop
        await this.#interludeAtEnd(work)
        if (progress.epochs >= epochs) return
      }
      if (bySteps) await this.#epoch(work, task.count * this.context.gradAccSteps, task.simulateEpoch)
      else await this.#epoch(work, progress.epochSize, true)
    }
  }

  async #epoch(work: AtWork, iterations: number, noticed: boolean): Promise<void> {
    const { graph, progress } = work
    const { counters, events, metrics, atEpochEnd, earlyStops } = this.context
    const early = await stopOf(async () => {
      const fresh = !progress.open
      progress.begin()
      if (noticed && fresh) {
        metrics.clear()
        events.emit('epochStart', () => progress)
        await graph.fire('epochStart')
      }
      progress.open = true
      await this.#iterate(work, iterations)
    })
    progress.stop ??= lasting(early)
    const late = await stopOf(async () => {
      if (noticed) await graph.fire('epochEnd')
      await events.deliver()
    })
    const stop = firstStop([early, late])
    progress.stop = lasting(stop) ?? progress.stop
    progress.end()
    if (noticed) {
      if (progress.training) counters.trainEpochs += 1
      const record = this.#record(graph, progress)
      this.history.push(record)
      const why = stop instanceof EarlyStop ? stop.why : null
      if (why !== null) earlyStops.push(why)
      events.emit('epochEnd', () => record)
      if (why !== null) events.emit('earlyStop', () => why)
      await events.settle()
      for (const each of atEpochEnd.splice(0)) await each()
    }
    if (stop !== undefined) throw stop
  }

  /** @param keep whether the outputs of the last iteration survive it */
  async #iterate(work: AtWork, iterations: number, keep = false): Promise<void> {
    const { graph, progress } = work
    const { events } = this.context
    if (progress.stop !== null) throw progress.stop
    // At work already where a checkpoint was saved within it.
    if (progress.aside !== null) await this.#interlude(work)
    while (progress.epochSteps < iterations) {
      if (progress.isInterludeDue && !graph.isAccumulating) await this.#interlude(work)
      const pending = graph.ready()
      if (pending !== undefined) await pending
      events.emit('iterationStart', () => progress)
      const stop = graph.iterate(keep && progress.epochSteps === iterations - 1)
      progress.epochSteps += 1
      events.emit('iterationEnd', () => progress)
      events.tick = 0
      if (this.#untold) this.#tell(graph)
      const listeners = events.settle()
      if (listeners !== undefined) await listeners
      if (performance.now() - this.#breath > breathMs) await this.#breathe()
      if (stop !== undefined) throw stop
      if (this.#control.isAsked) await progress.apart(() => this.#control.serve())
    }
  }

  #tell(graph: ExecutableGraph): void {
    this.#untold = false
    this.context.events.emit('graph', () => ({ ...placeOf(this.context), nodes: graph.seen }))
  }

  // At the end of an epoch or a task windows are closed, here if nobody did yet.
  async #interludeAtEnd(work: AtWork): Promise<void> {
    if (work.progress.aside === null && !work.progress.isInterludeDue) return
    if (work.graph.isAccumulating) await work.graph.fire('taskEnd')
    await this.#interlude(work)
  }

  // What the tasks in between would change of the epoch is set aside, also in the checkpoints that they save.
  async #interlude({ graph, progress, interlude }: AtWork): Promise<void> {
    progress.aside ??= await epochState(graph, this.context)
    const stop = await stopOf(() => progress.apart(() => interlude.run()))
    // In one go, so that a checkpoint is from before or from after.
    loadEpochState(graph, this.context, progress.aside)
    progress.interludeOver()
    interlude.over()
    if (stop instanceof EarlyStop) progress.stop = new StopTask(stop.message)
    await this.#begin(graph, progress)
    if (stop !== undefined) throw progress.stop ?? stop
  }

  // Values are read meanwhile and reach their listeners when they are there.
  async #breathe(): Promise<void> {
    const { late } = this.context.events
    if (late.isDue) void late.flush()
    await setImmediate()
    this.#control.lookIfDue()
    this.#breath = performance.now()
  }

  async #begin(graph: ExecutableGraph, progress: TaskProgress): Promise<void> {
    this.context.task = progress
    progress.epochSize = progress.stepMode ? 0 : sizeOfEpoch(graph)
    if (this.#isPrepared(graph, progress.training)) return
    this.#used.add(graph)
    this.#prepared = null
    await graph.prepare(this.context)
    this.#prepared = { graph, training: progress.training }
    this.#untold = true
  }

  #isPrepared(graph: ExecutableGraph, training: boolean): boolean {
    return this.#prepared?.graph === graph && this.#prepared.training === training && graph.hasItsNodes
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
}

function sizeOfEpoch(graph: ExecutableGraph): number {
  const size = graph.epochSize
  if (size !== undefined) return size
  throw new FirnError(
    'graph',
    `a task of epochs needs a node that has an end, such as a DatasetNode; tags '${graph.tags.join(',')}' select none. Give steps instead`,
  )
}

/** Throws what ends more than a task. */
export function endsMore(stop: Stop | undefined): void {
  if (stop instanceof StopAllTasks || stop instanceof EarlyStop) throw stop
}

// What a resumed run has to know of, too; the end of a run is not: it is resumed to go on.
const lasting = (stop: Stop | undefined): StopTask | EarlyStop | null => (stop === undefined || stop instanceof StopAllTasks ? null : stop)
