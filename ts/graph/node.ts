// A node: named work, with hooks for each part of an iteration, an epoch and a run.
import type { GradScaler } from '../amp/index.ts'
import { FirnError } from '../errors.ts'
import type { StateTree } from '../io/index.ts'
import { type Board, NodeBoard } from './board.ts'
import type { CacheAccess } from './cache.ts'
import type { Launcher, TaskInfo } from './context.ts'
import type { ExecutableGraph } from './executableGraph.ts'
import { move } from './move.ts'

/** The events of a node, in the order of their first call. */
export const nodeEvents = ['prepare', 'epochStart', 'forward', 'backward', 'update', 'epochEnd', 'cleanUp'] as const
export type NodeEvent = (typeof nodeEvents)[number]

/** Hooks of a node. Each comes after the node's own part of the event. A hook that may return a promise is waited for. */
export interface NodeHooks<Self, C, Out> {
  /** Before the first iteration of a task whose nodes or mode differ from the one before. */
  prepare?(node: Self): void | Promise<void>
  epochStart?(node: Self): void | Promise<void>
  /** Makes the node's output from the outputs of others, `x`. */
  forward?(node: Self, x: C): Out
  backward?(node: Self): void
  update?(node: Self): void
  epochEnd?(node: Self): void | Promise<void>
  /** At the end of the run. */
  cleanUp?(node: Self): void | Promise<void>
}

/** What the options of a node hold beside its hooks; hooks find it as `node.key`. */
export type Resources<R> = { readonly [K in keyof R]: R[K] }

/** A node of any kind. */
export type AnyNode = Node<CacheAccess, unknown>

/**
 * A node of a graph. Its options hold hooks and resources; a resource is found on the node under its name, and tensors and modules in it are
 * moved to the node's device. Subclasses may override `forwardImpl`, the events except `forward`, `stateDict`, `loadStateDict` and `move`.
 *
 * @example
 * graph.add('scaled', new Node({ factor: 2, forward: (n, x) => x.loss.mul(n.factor) }))
 */
export class Node<C = CacheAccess, Out = undefined, R extends object = object> {
  readonly #hooks: NodeHooks<Node<C, unknown>, C, Out>
  readonly #resources: string[] = []
  #graph: ExecutableGraph | null = null
  #name = ''

  /** @param own names in `options` that a subclass reads itself */
  constructor(options: NodeHooks<Node<C, unknown> & R, C, Out> & Resources<R>, own: readonly string[] = []) {
    const kind = this.constructor.name
    if (this.forward !== Node.prototype.forward) {
      throw new FirnError('graph', `${kind}: forward() serves the kept output and cannot be overridden; override forwardImpl(x)`)
    }
    this.#hooks = options
    for (const [key, value] of Object.entries(options)) {
      if (own.includes(key)) continue
      if (isNodeEvent(key)) {
        if (typeof value !== 'function') throw new FirnError('argument', `${kind}: hook '${key}' is ${typeof value}, expected a function`)
      } else {
        if (key in this) throw new FirnError('argument', `${kind}: '${key}' is a member of every node; give the resource another name`)
        Reflect.set(this, key, value)
        this.#resources.push(key)
      }
    }
  }

  /** The name in the graph that runs it; '' before it ran. */
  get name(): string {
    return this.#name
  }

  /** Whether the task at hand trains; false outside of a task. */
  get training(): boolean {
    return this.#graph?.context.task?.training ?? false
  }

  /** The device that the run computes on. */
  get device(): string {
    return this.graph.context.info.device
  }

  /** The task at hand. */
  get task(): TaskInfo {
    const { task } = this.graph.context
    if (task === null) throw new FirnError('graph', `node '${this.#name}': no task is at work`)
    return task
  }

  /** True when the task counts steps, false when it counts epochs. */
  get stepMode(): boolean {
    return this.task.stepMode
  }

  /** Which process this is of how many. */
  get launcher(): Launcher {
    return this.graph.context.info.launcher
  }

  /** The folder of the run; fails with code `'graph'` in `graph.step`, which has none. */
  get outDir(): string {
    const { outDir } = this.graph.context.info
    if (outDir === null) throw new FirnError('graph', `node '${this.#name}': graph.step() has no out directory, graph.run() has`)
    return outDir
  }

  /** `<runId>_<date>_<random>`: the name of the run's folder. */
  get runId(): string {
    return this.graph.context.info.runId
  }

  /** Where to put values that somebody wants to see. */
  get board(): Board {
    return new NodeBoard(this.#name, this.graph.context)
  }

  /** The nodes selected for the task at hand, by name. */
  get allNodes(): ReadonlyMap<string, AnyNode> {
    return this.graph.nodes
  }

  /** The number, from 1, of the iteration at work among those of its mode (training or not) in this run. */
  get globalAutoSteps(): number {
    const { trainIterations, evalIterations } = this.graph.context.counters
    return this.training ? trainIterations : evalIterations
  }

  /** Training iterations of this run, the one at work included. */
  get globalTrainSteps(): number {
    return this.graph.context.counters.trainIterations
  }

  /** Training epochs finished in this run. */
  get globalTrainEpochs(): number {
    return this.graph.context.counters.trainEpochs
  }

  /** The index, from 0, of the iteration at work in its epoch; in step mode, in its task. */
  get epochSteps(): number {
    return this.task.epochSteps
  }

  /** Iterations in an epoch; 0 in step mode. */
  get epochSize(): number {
    return this.task.epochSize
  }

  /** Iterations from one update to the next, as set by `graph.accumulate`. */
  get gradAccSteps(): number {
    return this.graph.context.gradAccSteps
  }

  /** What losses are scaled by, as set by `graph.gradScaler`; null without. */
  get gradScaler(): GradScaler | null {
    return this.graph.context.gradScaler
  }

  /** Iterations that this node has data for in an epoch; undefined when it sets no end. */
  get length(): number | undefined {
    return undefined
  }

  /** Samples that this node handed out since the epoch began. */
  get samples(): number {
    return 0
  }

  /** The node's output in this iteration: kept from before, or made now. Not to be overridden. */
  forward(): Out
  forward(): unknown {
    return this.graph.output(this.#name)
  }

  /** Makes the output. @param x the outputs of the other nodes */
  forwardImpl(x: C): Out
  forwardImpl(x: C): unknown {
    return this.#hooks.forward?.(this, x)
  }

  /** Moves the resources to the device, then calls the hook. */
  prepare(): void | Promise<void> {
    for (const key of this.#resources) Reflect.set(this, key, this.move(Reflect.get(this, key)))
    return this.#hooks.prepare?.(this)
  }

  epochStart(): void | Promise<void> {
    return this.#hooks.epochStart?.(this)
  }

  backward(): void {
    return this.#hooks.backward?.(this)
  }

  update(): void {
    return this.#hooks.update?.(this)
  }

  epochEnd(): void | Promise<void> {
    return this.#hooks.epochEnd?.(this)
  }

  /** Closes what a task left open, at its end. */
  taskEnd(): void {}

  cleanUp(): void | Promise<void> {
    return this.#hooks.cleanUp?.(this)
  }

  /** What a checkpoint keeps of this node; null when there is nothing. */
  stateDict(): StateTree | Promise<StateTree> {
    return null
  }

  /** Takes over what `stateDict` gave. @returns what did not fit, a line each; with `strict` that is an error instead */
  loadStateDict(state: StateTree, strict: boolean): readonly string[] {
    if (state === null) return []
    const message = `${this.constructor.name} keeps no state, and was given some`
    if (strict) throw new FirnError('graph', message)
    return [message]
  }

  /** Whether checkpoints keep anything of this node. */
  get keepsState(): boolean {
    return this.stateDict !== Node.prototype.stateDict
  }

  /** The data on the node's device: tensors and modules, also in lists and records. */
  move<T>(data: T, device: string = this.device): T {
    return move(data, device)
  }

  /** Whether an optimizer of this node is within a window. @internal */
  get isAccumulating(): boolean {
    return false
  }

  /** Whether anything happens in this phase, so that idle nodes cost nothing. @internal */
  actsIn(phase: 'backward' | 'update'): boolean {
    return this[phase] !== Node.prototype[phase] || this.#hooks[phase] !== undefined
  }

  /** Tells the node which graph runs it, and under what name. @internal */
  attach(graph: ExecutableGraph, name: string): void {
    this.#graph = graph
    this.#name = name
  }

  /** The graph that runs the node. @internal */
  get graph(): ExecutableGraph {
    if (this.#graph === null)
      throw new FirnError('graph', `${this.constructor.name}: this node has not run yet; add it to a graph and run that`)
    return this.#graph
  }
}

const isNodeEvent = (key: string): key is NodeEvent => nodeEvents.some((event) => event === key)
