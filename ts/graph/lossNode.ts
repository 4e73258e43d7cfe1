// A loss as a node, and the one backward for the weighted sum of all of them.
import { FirnError } from '../errors.ts'
import type { StateTree } from '../io/index.ts'
import { Tensor } from '../tensor/index.ts'
import { average } from './meters.ts'
import type { CacheAccess } from './cache.ts'
import type { NodeHooks, Resources } from './hooks.ts'
import { Node } from './node.ts'
import { refuseOptions } from './refuse.ts'
import { savedJson, savedRecord } from './savedState.ts'

/** Options of a `LossNode`; everything else in them is a hook or a resource. */
export interface LossNodeOptions {
  /** What the loss counts for in the sum that is differentiated. @default 1 */
  readonly weight?: number
}

/**
 * A loss: `forward` returns a tensor of one element. The weighted sum of all losses of the task is differentiated once, when the last of them
 * comes to `backward`. The mean over an epoch's iterations, without the weight, is reported under the node's name, and in training every iteration's as a scalar.
 *
 * @example
 * graph.add('loss', new LossNode({ forward: (_, x) => F.crossEntropy(x.net, x.mnist.label) }))
 */
export class LossNode<C = CacheAccess, R extends object = object> extends Node<C, Tensor, R> {
  readonly weight: number
  readonly #mean = average()

  constructor(options: LossNodeOptions & NodeHooks<LossNode<C> & R, C, Tensor> & Resources<R>) {
    refuseOptions('LossNode', options, ['mode'], 'weights found by the multiple-gradient descent algorithm are not there yet')
    super(options, ['weight'])
    this.weight = options.weight ?? 1
  }

  override forwardImpl(x: C): Tensor {
    const loss: unknown = super.forwardImpl(x)
    if (loss instanceof Tensor && loss.size === 1) return loss
    const given = loss instanceof Tensor ? `a tensor of shape [${loss.shape.join(', ')}]` : typeof loss
    throw new FirnError('shape', `the loss is ${given}, expected a tensor of one element; reduce it with mean() or sum()`)
  }

  override epochStart(): void | Promise<void> {
    this.#mean.reset()
    return super.epochStart()
  }

  override backward(): void {
    const losses = [...this.allNodes.values()].filter((node) => node instanceof LossNode)
    if (losses.at(-1) === this) {
      const sum = sumOf(losses.map((node) => (node.weight === 1 ? node.forward() : node.forward().mul(node.weight))))
      const scaled = sum === undefined ? undefined : (this.gradScaler?.scale(sum) ?? sum)
      scaled?.backward()
    }
    super.backward()
  }

  override update(): void {
    this.#mean.update(this.forward())
    if (this.training) this.board.scalar(this.name, this.forward())
    super.update()
  }

  override async epochEnd(): Promise<void> {
    this.board.metric(this.name, await this.#mean.evaluate())
    await super.epochEnd()
  }

  override async stateDict(): Promise<StateTree> {
    return { mean: await this.#mean.stateDict() }
  }

  override loadStateDict(state: StateTree): readonly string[] {
    const what = this.constructor.name
    this.#mean.loadStateDict(savedJson(what, savedRecord(what, state)['mean']))
    return []
  }
}

function sumOf(losses: readonly Tensor[]): Tensor | undefined {
  const [first, ...others] = losses
  return first && others.reduce((sum, loss) => sum.add(loss.reshape(sum.shape)), first)
}
