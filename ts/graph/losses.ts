// What a loss may be: a mean, or a sum with what it is to be divided by.
import { FirnError } from '../errors.ts'
import { Tensor } from '../tensor/index.ts'

/** A loss as a sum over `weight` samples (or tokens, or pixels): its mean is `sum / weight`, over an iteration, a window or an epoch. */
export interface SummedLoss {
  /** A tensor of one element. */
  readonly sum: Tensor
  /** From 0 on. */
  readonly weight: number
}

/** What the forward of a LossNode may return: a tensor of one element, or a sum with what it is to be divided by. */
export type Loss = Tensor | SummedLoss

/** A loss as a sum; a mean is that of one. */
export const summed = (loss: Loss): SummedLoss => (loss instanceof Tensor ? { sum: loss, weight: 1 } : loss)

/** The weight that all these losses have, which are sums; undefined when they are means. Fails with code `'argument'` when they differ. */
export function commonWeight(losses: readonly { readonly name: string; readonly loss: Loss }[]): number | undefined {
  const [first] = losses
  if (first === undefined) return undefined
  const weight = weightOf(first.loss)
  const other = losses.find(({ loss }) => weightOf(loss) !== weight)
  if (other === undefined) return weight
  const told = [first, other].map(
    ({ name, loss }) => `'${name}' ${weightOf(loss) === undefined ? 'is a mean' : `is a sum of weight ${weightOf(loss)}`}`,
  )
  throw new FirnError('argument', `losses: ${told.join(', ')}; the losses of an iteration are all means, or all sums of one weight`)
}

const weightOf = (loss: Loss): number | undefined => (loss instanceof Tensor ? undefined : loss.weight)

/** Fails with code `'shape'` or `'argument'` on what is no loss. */
export function checkLoss(loss: unknown): void {
  const isSum = typeof loss === 'object' && loss !== null && 'sum' in loss && 'weight' in loss && !(loss instanceof Tensor)
  if (isSum && !(typeof loss.weight === 'number' && loss.weight >= 0 && loss.weight < Infinity))
    throw new FirnError('argument', `the weight of the loss is ${String(loss.weight)}, expected a number from 0 on`)
  const tensor: unknown = isSum ? loss.sum : loss
  if (tensor instanceof Tensor && tensor.size === 1) return
  const given = tensor instanceof Tensor ? `a tensor of shape [${tensor.shape.join(', ')}]` : typeof tensor
  throw new FirnError('shape', `the loss is ${given}, expected a tensor of one element; reduce it with mean() or sum()`)
}
