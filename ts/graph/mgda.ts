// The multiple-gradient descent algorithm: shares of several losses such that a small step along their sum makes none of them larger.
import { grad } from '../autograd/index.ts'
import { FirnError } from '../errors.ts'
import { cat, type DType, stack, type Tensor, tensorScope, zerosLike } from '../tensor/index.ts'

/** What each gradient is divided by before the shares are found: nothing, its norm, the loss, or both. */
export const normalizations = ['none', 'l2', 'loss', 'loss+'] as const
export type Normalization = (typeof normalizations)[number]

/**
 * Shares of the losses, not negative, 1 together: the weights of the point of least norm among the averages of their gradients with respect
 * to the shared representation. The average of the gradients with these shares is a way along which every loss falls, unless it is zero; of
 * gradients that were divided by something, that is so for the divided ones, and the shares are those of the authors' program all the same. An upper bound of the algorithm for the parameters below it, which are not walked through: Sener and Koltun,
 * Multi-Task Learning as Multi-Objective Optimization (2018), section 3.3. Reads K x K numbers from the device for K losses. Gradients that are
 * not finite give equal shares, so that a gradient scaler meets them.
 */
export function lossShares(losses: readonly Tensor[], shared: readonly Tensor<DType>[], normalization: Normalization): number[] {
  using _ = tensorScope()
  const sources = shared.filter((tensor) => tensor.requiresGrad)
  if (sources.length === 0)
    throw new FirnError('autograd', 'mgda: the output of the shared node needs no gradient; a node whose module trains has to make it')
  const gradients = stack(losses.map((loss) => gradientOf(loss, sources)))
  const gram = gradients.matmul(gradients.transpose(0, 1))
  const values = cat(losses.map((loss) => loss.detach().double().reshape([1])))
  const numbers = cat([gram.reshape([gram.size]), values]).dataSync()
  const count = losses.length
  if (!numbers.every(Number.isFinite)) return Array<number>(count).fill(1 / count)
  const products = losses.map((_, row) => numbers.slice(row * count, (row + 1) * count))
  const norms = losses.map((_, i) => divisor(normalization, Math.sqrt(products[i]?.[i] ?? 0), numbers[count * count + i] ?? 1))
  return leastNorm(products.map((row, i) => Array.from(row, (product, j) => product / ((norms[i] ?? 1) * (norms[j] ?? 1)))))
}

/**
 * The weights, not negative and 1 together, of the vectors whose average has the least norm, from the products of each two of them.
 * Frank-Wolfe with pairwise steps, which converges linearly: Lacoste-Julien and Jaggi, On the Global Linear Convergence of Frank-Wolfe
 * Optimization Variants (2015). Two vectors take one step.
 */
export function leastNorm(products: readonly (readonly number[])[]): number[] {
  const count = products.length
  const weights = Array<number>(count).fill(1 / count)
  const at = (i: number, j: number): number => products[i]?.[j] ?? 0
  const tolerance = 1e-12 * Math.max(...products.map((_, i) => at(i, i)))
  for (let step = 0; step < maxSteps; step++) {
    // Half the gradient of the squared norm.
    const slopes = products.map((row) => row.reduce((sum, product, j) => sum + product * (weights[j] ?? 0), 0))
    const slope = (i: number): number => slopes[i] ?? 0
    const held = weights.flatMap((weight, i) => (weight > 0 ? [i] : []))
    const worst = held.reduce((a, b) => (slope(b) > slope(a) ? b : a))
    const best = slopes.reduce((a, value, b) => (value < slope(a) ? b : a), 0)
    const gain = slope(worst) - slope(best)
    if (gain <= tolerance) break
    const whole = weights[worst] ?? 0
    const moved = Math.min(whole, gain / (at(worst, worst) + at(best, best) - 2 * at(worst, best)))
    weights[worst] = moved === whole ? 0 : whole - moved
    weights[best] = (weights[best] ?? 0) + moved
  }
  return weights
}

// Far more than linear convergence needs for the few losses of a task.
const maxSteps = 10_000

function gradientOf(loss: Tensor, shared: readonly Tensor<DType>[]): Tensor<'float64'> {
  const parts = grad(loss, shared, { retainGraph: true, allowUnused: true })
  if (parts.every((part) => part === null))
    throw new FirnError(
      'autograd',
      'mgda: a loss does not depend on the output of the shared node; name the node that all losses read from',
    )
  return cat(shared.map((tensor, i) => (parts[i] ?? zerosLike(tensor.detach())).double().reshape([tensor.size])))
}

// A gradient of zero is the point of least norm, whatever it is divided by.
function divisor(normalization: Normalization, norm: number, loss: number): number {
  const by = { none: 1, l2: norm, loss, 'loss+': norm * loss }[normalization]
  return by > 0 ? by : 1
}
