// A loss as a node, and the one backward for the weighted sum of all of them.
import { tensorsIn } from '../data/index.ts'
import { FirnError } from '../errors.ts'
import type { Json, StateTree } from '../io/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { average } from './meters/index.ts'
import type { CacheAccess } from './cache.ts'
import type { NodeHooks, Resources } from './hooks.ts'
import { checkLoss, commonWeight, type Loss, summed } from './losses.ts'
import { lossShares, type Normalization, normalizations } from './mgda.ts'
import { Node } from './node.ts'
import { savedJson, savedRecord } from './savedState.ts'

/** Options of a `LossNode`; everything else in them is a hook or a resource. */
export interface LossNodeOptions {
  /** What the loss counts for in the sum that is differentiated; not with `mode: 'mgda'`. @default 1 */
  readonly weight?: number
  /**
   * `'fixed'`: the loss counts for its `weight`. `'mgda'`: the losses of this mode share a weight of 1 among themselves, found anew in every
   * iteration, so that without `normalize` none of them grows in a small step of what they share. @default 'fixed'
   */
  readonly mode?: 'fixed' | 'mgda'
  /** With `mode: 'mgda'`, the node whose output all these losses are made from: the encoder that they share. */
  readonly shared?: string
  /**
   * With `mode: 'mgda'`, what the gradient of each loss is divided by before they are compared: nothing, its norm (`'l2'`), the loss, or both
   * (`'loss+'`). Losses of different scale ask for it, lest the smallest gradient take nearly all; the shares are those of the losses as they
   * are, so one of them may grow. @default 'none'
   */
  readonly normalize?: Normalization
}

/** A LossNode of any kind. */
type AnyLoss = LossNode<CacheAccess, object, Loss>

/** A loss whose share is found anew in every iteration. */
interface Adaptive {
  readonly shared: string
  readonly normalize: Normalization
}

/**
 * A loss: `forward` returns a tensor of one element, or `{ sum, weight }`. The weighted sum of all losses of the task is differentiated once,
 * when the last of them comes to `backward`. Of losses `{ sum, weight }` the sums are differentiated, and optimizers divide by the weight of their
 * whole window: micro-batches of any sizes train as one batch of all of them does. The mean over an epoch, without the weight, is reported
 * under the node's name, and in training every iteration's as a scalar; the share of a loss in mode `'mgda'` likewise, as `name/share`.
 *
 * @example
 * graph.add('loss', new LossNode({ forward: (_, x) => F.crossEntropy(x.net, x.mnist.label) }))
 */
export class LossNode<C = CacheAccess, R extends object = object, L extends Loss = Tensor> extends Node<C, L, R> {
  readonly weight: number
  readonly #adaptive: Adaptive | null
  readonly #mean = average()
  readonly #share = average()
  /** All losses of the task at hand. */
  #losses: readonly AnyLoss[] = []

  constructor(options: LossNodeOptions & NodeHooks<LossNode<C> & R, C, L> & Resources<R>) {
    super(options, ['weight', 'mode', 'shared', 'normalize'])
    this.weight = options.weight ?? 1
    if (!Number.isFinite(this.weight))
      throw new FirnError('argument', `${this.constructor.name}: weight ${String(this.weight)}, expected a finite number`)
    this.#adaptive = adaptiveOf(options)
  }

  override forwardImpl(x: C): L {
    const loss = super.forwardImpl(x)
    checkLoss(loss)
    return loss
  }

  override prepare(): void | Promise<void> {
    this.#losses = [...this.allNodes.values()].filter((node) => node instanceof LossNode)
    return super.prepare()
  }

  override epochStart(): void | Promise<void> {
    this.#mean.reset()
    this.#share.reset()
    return super.epochStart()
  }

  override backward(): void {
    if (this.#losses.at(-1) === this) this.#differentiate(this.#losses)
    super.backward()
  }

  override update(): void {
    const { sum, weight } = summed(this.forward())
    if (weight > 0) {
      const mean = weight === 1 ? sum : sum.detach().div(weight)
      this.#mean.update(mean, weight)
      if (this.training) this.board.scalar(this.name, mean)
    }
    super.update()
  }

  override async epochEnd(): Promise<void> {
    this.board.metric(this.name, await this.#mean.evaluate())
    if (this.#adaptive !== null && this.training) this.board.metric(`${this.name}/share`, await this.#share.evaluate())
    await super.epochEnd()
  }

  override async epochState(): Promise<Json> {
    return { mean: await this.#mean.stateDict(), ...(this.#adaptive === null ? {} : { share: await this.#share.stateDict() }) }
  }

  override loadEpochState(state: Json): void {
    const what = this.constructor.name
    const saved = savedRecord(what, state)
    this.#mean.loadStateDict(savedJson(what, saved['mean']))
    if (this.#adaptive !== null) this.#share.loadStateDict(savedJson(what, saved['share']))
  }

  override stateDict(): Promise<StateTree> {
    return this.epochState()
  }

  override loadStateDict(state: StateTree): readonly string[] {
    this.loadEpochState(savedJson(this.constructor.name, state))
    return []
  }

  #differentiate(losses: readonly AnyLoss[]): void {
    this.graph.lossWeight = commonWeight(losses.map((node) => ({ name: node.name, loss: node.forward() })))
    const shares = this.#shares(losses.filter((node) => node.#adaptive !== null))
    const terms = losses.map((node) => times(summed(node.forward()).sum, shares.get(node) ?? node.weight))
    const total = terms.reduce((sum, term) => sum.add(term.reshape(sum.shape)))
    if (!total.requiresGrad)
      throw new FirnError(
        'autograd',
        'the losses depend on nothing that trains: give a ModuleNode `optimizers` whose patterns match, and let its forward return what the losses read',
      )
    const scaled = this.gradScaler?.scale(total) ?? total
    scaled.backward()
  }

  // Of the scaled losses, whose gradients are those that have to be representable.
  #shares(losses: readonly AnyLoss[]): ReadonlyMap<unknown, number> {
    const [first] = losses
    if (first === undefined || first.#adaptive === null) return new Map()
    const adaptive = first.#adaptive
    const other = losses.find((node) => node.#differs(adaptive))
    if (other !== undefined)
      throw new FirnError(
        'argument',
        `losses '${first.name}' and '${other.name}': mode 'mgda' wants one 'shared' and one 'normalize' of all`,
      )
    const sums = losses.map((node) => summed(node.forward()).sum)
    const scaled = this.gradScaler?.scale(sums) ?? sums
    const found = lossShares(scaled, [...tensorsIn(this.graph.output(adaptive.shared))], adaptive.normalize)
    return new Map(losses.map((node, i) => [node, node.#note(found[i] ?? 0)]))
  }

  #differs({ shared, normalize }: Adaptive): boolean {
    return this.#adaptive === null || this.#adaptive.shared !== shared || this.#adaptive.normalize !== normalize
  }

  #note(share: number): number {
    this.#share.update(share)
    this.board.scalar(`${this.name}/share`, share)
    return share
  }
}

const times = (loss: Tensor, weight: number): Tensor => (weight === 1 ? loss : loss.mul(weight))

function adaptiveOf({ mode = 'fixed', shared, normalize, weight }: LossNodeOptions): Adaptive | null {
  if (mode === 'fixed') {
    if (shared === undefined && normalize === undefined) return null
    throw new FirnError('argument', "LossNode: 'shared' and 'normalize' go with mode 'mgda'")
  }
  if (mode !== 'mgda') throw new FirnError('argument', `LossNode: mode '${String(mode)}', expected 'fixed' or 'mgda'`)
  if (weight !== undefined) throw new FirnError('argument', "LossNode: mode 'mgda' finds the weight itself; leave 'weight' out")
  if (shared === undefined)
    throw new FirnError('argument', "LossNode: mode 'mgda' wants 'shared', the node whose output the losses have in common")
  if (normalize !== undefined && !normalizations.includes(normalize))
    throw new FirnError('argument', `LossNode: normalize '${String(normalize)}', expected one of ${normalizations.join(', ')}`)
  return { shared, normalize: normalize ?? 'none' }
}
