// A meter as a node.
import { FirnError } from '../errors.ts'
import { BestKeeper, type SaveBestOptions } from './best.ts'
import { type EarlyStopOptions, Patience } from './earlyStop.ts'
import type { Json, StateTree } from '../io/index.ts'
import type { Meter } from './meters/meter.ts'
import type { NodeHooks, Resources } from './hooks.ts'
import { Node } from './node.ts'
import { savedJson, savedRecord } from './savedState.ts'
import type { Best } from './watched.ts'

/** Options of a `MetricNode`; everything else in them is a hook or a resource. */
export interface MetricNodeOptions<In extends readonly unknown[], Out extends Json> {
  readonly meter: Meter<In, Out>
  /** Saves the run, as `E<epochs>S<steps>_<name>_<value>.safetensors`, at the end of every epoch that is better than all before it. @default never */
  readonly saveBest?: SaveBestOptions
  /**
   * Ends what goes on around the node when `patience` of its epochs in a row brought no improvement: the training task in whose middle
   * it is evaluated (`every`), or else a task of several epochs, the innermost repeat, or the run. What follows in the list goes on. Each of these begins
   * with no best value. @default never
   */
  readonly earlyStop?: EarlyStopOptions
}

/**
 * Gives what `forward` returns to a meter, in every iteration, and reports what the meter says at the end of an epoch under the node's name.
 * The meter starts anew with each epoch.
 *
 * @example
 * graph.add('accuracy', new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.mnist.label], saveBest: { mode: 'max' } }))
 */
// `const` and `| []` make the compiler read what `forward` returns as tuples, at any depth.
export class MetricNode<C, const In extends readonly unknown[] | [], Out extends Json, R extends object = object> extends Node<C, In, R> {
  readonly meter: Meter<In, Out>
  readonly #keeper: BestKeeper | null
  readonly #patience: Patience | null

  constructor(options: MetricNodeOptions<In, Out> & NodeHooks<MetricNode<C, In, Out> & R, C, In> & Resources<R>) {
    super(options, ['meter', 'saveBest', 'earlyStop'])
    this.meter = options.meter
    // Seen where types are not checked.
    if (typeof options.meter?.update !== 'function')
      throw new FirnError(
        'argument',
        `${this.constructor.name}: 'meter' is missing or none; give meter.accuracy() or one of its neighbours`,
      )
    this.#keeper = options.saveBest === undefined ? null : new BestKeeper(options.saveBest)
    this.#patience = options.earlyStop === undefined ? null : new Patience(options.earlyStop)
  }

  /** The best value so far; null before the first, and without `saveBest`. */
  get best(): Best | null {
    return this.#keeper?.best ?? null
  }

  override epochStart(): void | Promise<void> {
    this.meter.reset()
    return super.epochStart()
  }

  override update(): void {
    const values = this.forward()
    const given: unknown = values
    if (!Array.isArray(given))
      throw new FirnError(
        'argument',
        `forward gave ${typeof given}, expected a list of what the meter takes, such as [x.net, x.data.label]`,
      )
    this.meter.update(...values)
    super.update()
  }

  override async epochEnd(): Promise<void> {
    const result = await this.meter.evaluate()
    this.board.metric(this.name, result)
    this.#keeper?.look(this.name, result, this.training, this.graph.context)
    const stop = this.#patience?.look(this.name, result, this.training, this.graph.context)
    await super.epochEnd()
    if (stop !== undefined) throw stop
  }

  override epochState(): Promise<Json> {
    return this.meter.stateDict()
  }

  override loadEpochState(state: Json): void {
    this.meter.loadStateDict(state)
  }

  override async stateDict(): Promise<StateTree> {
    const best = this.#keeper && { best: this.#keeper.stateDict() }
    const patience = this.#patience && { patience: this.#patience.stateDict() }
    return { meter: await this.epochState(), ...best, ...patience }
  }

  override loadStateDict(state: StateTree): readonly string[] {
    const what = this.constructor.name
    const { meter, best, patience } = savedRecord(what, state)
    this.loadEpochState(savedJson(what, meter))
    if (best !== undefined) this.#keeper?.loadStateDict(what, best)
    if (patience !== undefined) this.#patience?.loadStateDict(what, patience)
    return []
  }
}
