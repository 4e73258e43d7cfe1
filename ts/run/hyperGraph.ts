// HyperGraph: nodes under names and tags, the types of their outputs, and what can be done with them.
import { join, resolve } from 'node:path'
import { GradScaler, type GradScalerOptions } from '../amp/index.ts'
import { autocast, type AutocastOptions } from '../autograd/index.ts'
import { resolveDevice } from '../backend/index.ts'
import { tensorsIn } from '../data/index.ts'
import { checkOptions, FirnError, unknownName } from '../errors.ts'
import { type AnyNode, EventHub, type EventSource, type ExecutableGraph, freshCounters, type GraphOutputCache } from '../graph/index.ts'
import {
  Node,
  NodeSet,
  type Observer,
  Probe,
  type ProbeOptions,
  type RunContext,
  type RunInfo,
  savedRecord,
  type Tags,
} from '../graph/index.ts'
import { seed as setSeed } from '../tensor/index.ts'
import { checkTasks } from './checkTasks.ts'
import { nodeStates, restoreNodes } from './checkpoint.ts'
import { readCheckpoint, writeCheckpoint } from './checkpointFile.ts'
import { Control, type RunControl } from './control.ts'
import { directed } from './direct.ts'
import { resultOf, type RunResult } from './result.ts'
import { Runner } from './runner.ts'
import { launcher, openRun, type Resumed, type RunOptions } from './start.ts'
import { checkSaveOptions, type SaveOptions, task, type TaskGraph, type TaskLike } from './task.ts'

/**
 * Outputs with one more. Flat, so that editors show it as a list and the compiler is quick with long graphs. A name known only at run time
 * adds nothing that a type could say.
 */
type With<Outputs extends object, Name extends string, Out> = string extends Name
  ? Outputs
  : { readonly [K in keyof Outputs | Name]: K extends keyof Outputs ? Outputs[K] : Out }

/** Options of `graph.step`. */
export interface StepOptions {
  /** Whether to train. @default true */
  readonly train?: boolean
  /** Updates, or with `train: false` iterations. @default 1 */
  readonly steps?: number
  /** Which nodes take part. @default '*' */
  readonly tags?: Tags
}

/**
 * Named, tagged nodes that read one another's outputs. `add` returns the graph with the new output in its type, so that a node can only
 * read what was added before it; two nodes may have one name under different tags when their outputs have one type.
 *
 * @example
 * const graph = new HyperGraph()
 *   .add('mnist', new DatasetNode({ dataset: mnist({ split: 'train' }), batchSize: 100, shuffle: true }))
 *   .add('net', new ModuleNode({ module: new Net(), forward: (n, x) => n.module.forward(x.mnist.image), optimizers: optim.adamW({ lr: 1e-3 }) }))
 *   .add('loss', new LossNode({ forward: (_, x) => F.nllLoss(x.net, x.mnist.label) }))
 * await graph.run([train({ epochs: 1 })])
 */
export class HyperGraph<Outputs extends object = object> implements TaskGraph {
  readonly #nodes = new NodeSet()
  readonly #events = new EventHub()
  readonly #probes: Probe[] = []
  readonly #control = new Control()
  #gradAccSteps = 1
  #gradScaler: GradScalerOptions | null = null
  #autocast: AutocastOptions | null = null
  #running = false
  /** The run at work, or the last one. */
  #runner: Runner | null = null
  #stepper: Runner | null = null

  /** Adds a node. The signature states what follows for the type; the graph stays the same object. */
  add<const Name extends string, Out>(
    name: Name,
    node: Node<GraphOutputCache<Outputs>, Name extends keyof Outputs ? Outputs[Name] : Out>,
    options?: { readonly tags?: Tags },
  ): HyperGraph<With<Outputs, Name, Out>>
  add(name: string, node: AnyNode, options: { readonly tags?: Tags } = {}): unknown {
    checkOptions('graph.add', options, ['tags'])
    if (!(node instanceof Node)) throw new FirnError('argument', `graph.add: '${name}' is given no Node`)
    this.#nodes.add(name, node, options.tags ?? '*')
    return this
  }

  /** Takes a node out of the graph. @param uid `'tags/name'`, or the name alone when only one node has it */
  remove(uid: string): AnyNode {
    return this.#nodes.remove(uid)
  }

  /** The node of a uid: `'tags/name'`, or the name alone when only one node has it. @example graph.get('net') */
  get(uid: string): AnyNode {
    return this.#nodes.get(uid)
  }

  /** The nodes that a query matches, by `'tags/name'`, in the order in which they were added. */
  selectNodes(query: Tags = '*'): ReadonlyMap<string, AnyNode> {
    return this.#nodes.byUid(query)
  }

  /** The graph that a task with these tags runs. */
  selectGraph(query: Tags = '*'): ExecutableGraph {
    return this.#nodes.graph(query)
  }

  /**
   * Nodes of a query in order, the phases they act in, and who was seen to read whom; before a task with these tags ran, what is not known
   * yet is called so.
   *
   * @example
   * console.log(graph.explain('train'))
   */
  explain(query: Tags = '*'): string {
    return this.selectGraph(query).toString()
  }

  /**
   * Prints the outputs of some nodes after forward, a line each behind `E<epochs>S<steps>`; also when forward fails, those that were made.
   * A name that a task does not select is passed over. Printing reads the values from the device, so give `every` in a long run.
   *
   * @example
   * graph.probe(['net', 'loss'], { every: 100, tags: 'train' })
   */
  probe(names: readonly (keyof Outputs & string)[], options: ProbeOptions = {}): this {
    checkOptions('graph.probe', options, ['every', 'total', 'tags', 'print'])
    const known = new Set([...this.#nodes.byUid('*').keys()].map((uid) => uid.slice(uid.lastIndexOf('/') + 1)))
    const stranger = names.find((name) => !known.has(name))
    if (stranger !== undefined) throw unknownName('graph.probe', 'node', stranger, [...known])
    this.#probes.push(new Probe(names, options))
    return this
  }

  /** Iterations whose gradients make one update, for optimizers that have no `accumulate` of their own. A step of a task is so many. */
  accumulate(iterations: number): this {
    if (!Number.isInteger(iterations) || iterations < 1)
      throw new FirnError('argument', `graph.accumulate: ${iterations}, expected a whole number from 1`)
    this.#gradAccSteps = iterations
    return this
  }

  /**
   * Scales the losses of every task, takes the scale out again at each update, and moves it where all windows are closed; an update whose
   * gradients are not finite is skipped. The scale belongs to a run and is part of its checkpoints. `null` switches it off.
   *
   * @example
   * new HyperGraph().autocast({ dtype: 'float16' }).gradScaler({ initScale: 1024 })
   */
  gradScaler(options: GradScalerOptions | null = {}): this {
    // Made for its checks.
    if (options !== null) new GradScaler(options)
    this.#gradScaler = options
    return this
  }

  /**
   * Runs the forward phase of every task, losses and evaluation included, under `autocast`; `null` switches it off.
   *
   * @example
   * new HyperGraph().autocast({ dtype: 'bfloat16' })
   */
  autocast(options: AutocastOptions | null = {}): this {
    if (options !== null) autocast(options, () => undefined)
    this.#autocast = options
    return this
  }

  /** Where the events of the graph can be listened to. @example graph.events.on('epochEnd', (epoch) => console.log(epoch.metrics)) */
  get events(): EventSource {
    return this.#events
  }

  /** Pauses, resumes, saves and stops the run at work. @example process.on('SIGUSR1', () => void graph.control.save()) */
  get control(): RunControl {
    return this.#control
  }

  /** Lets others watch: progress bars, logs. @example graph.observe(progress()) */
  observe(...observers: readonly Observer[]): this {
    for (const observe of observers) observe(this.#events)
    return this
  }

  /**
   * Runs tasks, one after another. Fails with code `'graph'` when a node does, naming node, event and task, with the original as `cause`.
   *
   * @example
   * const { metrics } = await graph.run([repeat(3, [train({ epochs: 1, tags: 'train' }), evaluate({ epochs: 1, tags: 'val' })])])
   */
  async run(tasks: readonly TaskLike[], options: RunOptions = {}): Promise<RunResult> {
    if (this.#running) throw new FirnError('graph', 'graph.run: this graph is running already; await that run first')
    checkTasks('graph.run', tasks)
    this.#running = true
    this.#control.expect()
    try {
      await this.#stepper?.endSteps()
      const { info, resumed } = await openRun(tasks, options)
      const runner = new Runner(this, { nodes: this.#nodes, context: this.#contextOf(info), tasks, control: this.#control })
      this.#runner = runner
      this.#stepper = null
      if (resumed === null) setSeed(info.seed)
      else this.#resume(runner, resumed)
      const save = (): Promise<string> => this.saveCheckpoint()
      await directed({ context: runner.context, control: this.#control, signals: options.signals, save }, () => runner.run())
      const { history, stopped, context } = runner
      return resultOf({ outDir: info.outDir ?? '', history, stopped, earlyStops: context.earlyStops })
    } finally {
      this.#control.end()
      this.#running = false
    }
  }

  /**
   * Runs a few iterations at once, for a loop of one's own or a look at the outputs. The outputs of the last iteration are returned and are
   * the caller's to free. Counters go on from one call to the next.
   *
   * @example
   * const { loss } = await graph.step({ tags: 'train' })
   * console.log(await loss.item())
   */
  async step(options?: StepOptions): Promise<GraphOutputCache<Outputs>>
  async step(options: StepOptions = {}): Promise<unknown> {
    checkOptions('graph.step', options, ['train', 'steps', 'tags'])
    if (this.#running) throw new FirnError('graph', 'graph.step: this graph is running; await the run first')
    const { train = true, steps = 1, tags = '*' } = options
    const info = { device: resolveDevice('auto'), seed: 0, runId: 'step', outDir: null, launcher, hparams: {} }
    this.#stepper ??= new Runner(this, { nodes: this.#nodes, context: this.#contextOf(info), tasks: [], control: this.#control })
    return this.#stepper.step(task({ train, steps, tags }))
  }

  /**
   * Writes the states of the nodes that the tags select, and how far the run at work (or the last one) has come. A relative path starts in
   * the run's `ckpts`; there, too, is the default, `E<epochs>S<steps>.safetensors`. With `keep` older ones are deleted. @returns the path
   */
  async saveCheckpoint(options: SaveOptions = {}): Promise<string> {
    checkSaveOptions('graph.saveCheckpoint', options)
    const began = performance.now()
    const runner = this.#runner
    const { trainEpochs, trainIterations } = runner?.context.counters ?? freshCounters()
    const outDir = runner?.context.info.outDir ?? null
    if (outDir === null && options.to === undefined) {
      throw new FirnError('argument', 'graph.saveCheckpoint: no run has made a folder yet; give a path as { to }')
    }
    const path = resolve(outDir === null ? '.' : join(outDir, 'ckpts'), options.to ?? `E${trainEpochs}S${trainIterations}.safetensors`)
    const run = runner?.stateDict() ?? null
    const nodes = await nodeStates(this.selectNodes(options.tags ?? '*'))
    await this.#events.deliver()
    const bytes = await writeCheckpoint(path, { nodes, run })
    if (options.keep !== undefined) await runner?.series.keep(path, options.keep)
    this.#events.emit('checkpointSaved', () => ({ path, bytes, seconds: (performance.now() - began) / 1000 }))
    await this.#events.settle()
    return path
  }

  /**
   * Gives the nodes that the tags select the states in a file, or in the newest file of a folder. With `strict` (not by default) any
   * difference is an error. @returns the differences, a line each, which are also warned of
   */
  async loadCheckpoint(from: string, options: { readonly strict?: boolean; readonly tags?: Tags } = {}): Promise<readonly string[]> {
    checkOptions('graph.loadCheckpoint', options, ['strict', 'tags'])
    const { strict = false, tags = '*' } = options
    const { path, state } = await readCheckpoint(from)
    try {
      const differences = restoreNodes(this.selectNodes(tags), savedRecord(path, state)['nodes'], strict)
      if (differences.length > 0) console.warn(`checkpoint '${path}' fits in part:\n  ${differences.join('\n  ')}`)
      this.#events.emit('checkpointLoaded', () => ({ path }))
      return differences
    } finally {
      for (const tensor of tensorsIn(state)) tensor.dispose()
    }
  }

  #resume(runner: Runner, { path, nodes, run }: Resumed): void {
    restoreNodes(this.selectNodes('*'), nodes, true)
    runner.loadStateDict(run)
    for (const tensor of tensorsIn(nodes)) tensor.dispose()
    this.#events.emit('checkpointLoaded', () => ({ path }))
  }

  #contextOf(info: RunInfo): RunContext {
    return {
      info,
      counters: freshCounters(),
      gradAccSteps: this.#gradAccSteps,
      gradScaler: this.#gradScaler && new GradScaler(this.#gradScaler),
      autocast: this.#autocast,
      events: this.#events,
      probes: this.#probes,
      metrics: new Map(),
      save: (to) => this.saveCheckpoint({ to }),
      atEpochEnd: [],
      earlyStops: [],
      task: null,
    }
  }
}
