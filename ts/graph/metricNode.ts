// A meter as a node.
import type { Json, StateTree } from '../io/index.ts'
import type { Meter } from './meter.ts'
import type { NodeHooks, Resources } from './hooks.ts'
import { Node } from './node.ts'
import { refuseOptions } from './refuse.ts'
import { savedJson, savedRecord } from './savedState.ts'

/** Options of a `MetricNode`; everything else in them is a hook or a resource. */
export interface MetricNodeOptions<In extends readonly unknown[], Out extends Json> {
  readonly meter: Meter<In, Out>
}

/**
 * Gives what `forward` returns to a meter, in every iteration, and reports what the meter says at the end of an epoch under the node's name.
 * The meter starts anew with each epoch.
 *
 * @example
 * graph.add('accuracy', new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.mnist.label] }))
 */
// `| []` makes the compiler read what `forward` returns as a tuple.
export class MetricNode<C, In extends readonly unknown[] | [], Out extends Json, R extends object = object> extends Node<C, In, R> {
  readonly meter: Meter<In, Out>

  constructor(options: MetricNodeOptions<In, Out> & NodeHooks<MetricNode<C, In, Out> & R, C, In> & Resources<R>) {
    refuseOptions('MetricNode', options, ['saveBest'], 'keeping the best checkpoint is not there yet')
    super(options, ['meter'])
    this.meter = options.meter
  }

  override epochStart(): void | Promise<void> {
    this.meter.reset()
    return super.epochStart()
  }

  override update(): void {
    this.meter.update(...this.forward())
    super.update()
  }

  override async epochEnd(): Promise<void> {
    this.board.metric(this.name, await this.meter.evaluate())
    await super.epochEnd()
  }

  override async stateDict(): Promise<StateTree> {
    return { meter: await this.meter.stateDict() }
  }

  override loadStateDict(state: StateTree): readonly string[] {
    const what = this.constructor.name
    this.meter.loadStateDict(savedJson(what, savedRecord(what, state)['meter']))
    return []
  }
}
