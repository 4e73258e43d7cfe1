// What every node knows of the run around it.
import type { GradScaler } from '../amp/index.ts'
import { FirnError } from '../errors.ts'
import { type Board, NodeBoard } from './board.ts'
import type { Launcher, TaskInfo } from './context.ts'
import type { ExecutableGraph } from './executableGraph.ts'
import type { AnyNode } from './node.ts'

/** The members of a node that read the run at work; but `name` and `training` they fail with code `'graph'` before the node ran. */
export abstract class RunMembers {
  #graph: ExecutableGraph | null = null
  #name = ''

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

  /** Tells the node which graph runs it, and under what name. @internal */
  attach(graph: ExecutableGraph, name: string): void {
    this.#graph = graph
    this.#name = name
  }

  /** Whether the node was last attached to this graph. @internal */
  worksFor(graph: ExecutableGraph): boolean {
    return this.#graph === graph
  }

  /** The graph that runs the node. @internal */
  get graph(): ExecutableGraph {
    if (this.#graph === null)
      throw new FirnError('graph', `${this.constructor.name}: this node has not run yet; add it to a graph and run that`)
    return this.#graph
  }
}
