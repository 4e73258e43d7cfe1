// Gradients against finite differences.
import { FirnError } from '../errors.ts'
import { cat, tensor, tidy, zerosLike, type Tensor } from '../tensor/index.ts'
import { grad } from './grad.ts'

export interface GradCheckOptions {
  /** Half the distance of the two points of a difference. @default 1e-6 */
  readonly eps?: number
  /** Allowed absolute difference. @default 1e-5 */
  readonly atol?: number
  /** Allowed relative difference. @default 1e-3 */
  readonly rtol?: number
}

/**
 * Checks the gradient of `fn` at float64 `inputs` against central differences of the sum of its outputs, each weighted differently.
 * @example
 * gradCheck((x) => x.tanh(), [randn([3], { dtype: 'float64' })]) // true
 * @throws FirnError 'autograd' that names the input, the element and both numbers where they disagree
 */
export function gradCheck(
  fn: (...inputs: Tensor<'float64'>[]) => Tensor<'float64'>,
  inputs: readonly Tensor<'float64'>[],
  { eps = 1e-6, atol = 1e-5, rtol = 1e-3 }: GradCheckOptions = {},
): true {
  const weigh = (y: Tensor<'float64'>): Tensor<'float64'> => {
    const weights = tensor(
      Float64Array.from({ length: y.size }, (_, i) => 1 + 0.1 * ((i * 7) % 11)),
      { shape: y.shape },
    )
    return y.mul(weights).sum()
  }
  const values = inputs.map((input) => input.dataSync())
  const at = (data: readonly Float64Array[]): Tensor<'float64'>[] =>
    data.map((elements, i) => tensor(elements, { shape: inputs[i]?.shape ?? [], requiresGrad: true }))

  const analytic = tidy(() => {
    const leaves = at(values)
    return grad(weigh(fn(...leaves)), leaves).map((g) => g.dataSync())
  })
  values.forEach((elements, which) => {
    for (let i = 0; i < elements.length; i++) {
      const value = (shift: number): number =>
        tidy(() => {
          const moved = values.map((other, j) => (j === which ? other.with(i, (other[i] ?? 0) + shift) : other))
          return weigh(fn(...at(moved))).itemSync()
        })
      const numeric = (value(eps) - value(-eps)) / (2 * eps)
      const exact = analytic[which]?.[i] ?? NaN
      if (!(Math.abs(exact - numeric) <= atol + rtol * Math.abs(numeric))) {
        throw new FirnError(
          'autograd',
          `gradCheck: input ${which}, element ${i}: the gradient is ${exact} and finite differences give ${numeric} (eps ${eps}, atol ${atol}, rtol ${rtol})`,
        )
      }
    }
  })
  return true
}

/**
 * Checks the gradient of the gradient of `fn` in the same way: whether its rules are differentiable, and rightly so.
 * @example
 * gradGradCheck((x) => x.tanh(), [randn([3], { dtype: 'float64' })]) // true
 * @throws FirnError 'autograd' as `gradCheck`; the inputs it counts are those of `fn`
 */
export function gradGradCheck(
  fn: (...inputs: Tensor<'float64'>[]) => Tensor<'float64'>,
  inputs: readonly Tensor<'float64'>[],
  options: GradCheckOptions = {},
): true {
  const gradients = (...leaves: Tensor<'float64'>[]): Tensor<'float64'> => {
    const y = fn(...leaves)
    const found = grad(y.square().sum(), leaves, { createGraph: true, allowUnused: true })
    return cat(found.map((g, i) => (g ?? zerosLike(leaves[i] ?? y)).reshape([-1])))
  }
  return gradCheck(gradients, inputs, options)
}
