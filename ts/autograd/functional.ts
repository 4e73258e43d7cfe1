// Products with Jacobians and Hessians, as in torch.autograd.functional.
import { FirnError } from '../errors.ts'
import { noGrad, enableGrad } from './noGrad.ts'
import { grad } from './grad.ts'
import { stack, tensor, tidy, zerosLike, type FloatDType, type Tensor } from '../tensor/index.ts'

type Fn<D extends FloatDType> = (...inputs: Tensor<D>[]) => Tensor<D>

/** Runs `work` on fresh leaves with the inputs' values, with recording on; what it returns is cut off from the tape. */
function onLeaves<D extends FloatDType, R>(inputs: readonly Tensor<D>[], work: (leaves: Tensor<D>[]) => R): R {
  return tidy(() =>
    enableGrad(() => {
      const leaves = inputs.map((input) => input.detach())
      for (const leaf of leaves) leaf.requiresGrad = true
      return work(leaves)
    }),
  )
}

/** Gradients of those `outputs` that have any; zeros where there is none. */
function gradsOf<D extends FloatDType>(
  outputs: readonly Tensor<D>[],
  inputs: readonly Tensor<D>[],
  starts: readonly (Tensor<D> | null)[],
  createGraph = false,
): Tensor<D>[] {
  const tracked = outputs.flatMap((y, i) => (y.requiresGrad ? [i] : []))
  const roots = tracked.flatMap((i) => outputs[i] ?? [])
  const gradients = tracked.map((i) => starts[i] ?? null)
  const found = roots.length === 0 ? [] : grad(roots, inputs, { gradients, createGraph, retainGraph: true, allowUnused: true })
  return inputs.map((input, i) => found[i] ?? zerosLike(input))
}

function mustMatch(what: string, v: readonly { shape: readonly number[] }[], inputs: readonly { shape: readonly number[] }[]): void {
  const shapes = (list: readonly { shape: readonly number[] }[]): string => list.map(({ shape }) => `[${shape.join(', ')}]`).join(', ')
  if (shapes(v) !== shapes(inputs)) throw new FirnError('shape', `${what}: v must be like ${shapes(inputs)}, and is ${shapes(v)}`)
}

/**
 * The result of `fn` and the product of `v` with its Jacobian: one tensor for each input. `v` is like the result.
 * @example
 * const [y, [g]] = vjp((x) => x.square(), [tensor([1, 2])], tensor([1, 10]))
 * g // [2, 40]
 */
export function vjp<D extends FloatDType>(fn: Fn<D>, inputs: readonly Tensor<D>[], v: Tensor<D>): [value: Tensor<D>, product: Tensor<D>[]] {
  return onLeaves(inputs, (leaves) => {
    const y = fn(...leaves)
    mustMatch('vjp', [v], [y])
    return [y.detach(), gradsOf([y], leaves, [v])]
  })
}

/**
 * The result of `fn` and the product of its Jacobian with `v`, by two backward passes. `v` is like the inputs.
 * @example
 * const [y, product] = jvp((x) => x.square(), [tensor([1, 2])], [tensor([1, 10])])
 * product // [2, 40]
 */
export function jvp<D extends FloatDType>(
  fn: Fn<D>,
  inputs: readonly Tensor<D>[],
  v: readonly Tensor<D>[],
): [value: Tensor<D>, product: Tensor<D>] {
  mustMatch('jvp', v, inputs)
  return onLeaves(inputs, (leaves) => {
    const y = fn(...leaves)
    const seed = zerosLike(y.detach())
    seed.requiresGrad = true
    // The first pass is linear in its start, so its own gradient is the product.
    const [product] = gradsOf(gradsOf([y], leaves, [seed], true), [seed], v)
    return [y.detach(), product ?? zerosLike(y)]
  })
}

/**
 * The value of a scalar function and the product of its Hessian with `v`: one tensor for each input.
 * @example
 * const [y, [product]] = hvp((x) => x.pow(3).sum(), [tensor([1, 2])], [tensor([1, 1])])
 * product // [6, 12]
 */
export function hvp<D extends FloatDType>(
  fn: Fn<D>,
  inputs: readonly Tensor<D>[],
  v: readonly Tensor<D>[],
): [value: Tensor<D>, product: Tensor<D>[]] {
  mustMatch('hvp', v, inputs)
  return onLeaves(inputs, (leaves) => {
    const y = scalar('hvp', fn(...leaves))
    return [y.detach(), gradsOf(gradsOf([y], leaves, [null], true), leaves, v)]
  })
}

/**
 * The Jacobian of `fn`: for each input, its derivatives, of the shape of the result followed by that of the input.
 * @example
 * const [j] = jacobian((x) => x.square(), [tensor([1, 2])])
 * j // [[2, 0], [0, 4]]
 */
export function jacobian<D extends FloatDType>(fn: Fn<D>, inputs: readonly Tensor<D>[]): Tensor<D>[] {
  return onLeaves(inputs, (leaves) => jacobianAt(fn(...leaves), leaves))
}

/**
 * The Hessian of a scalar function: for each pair of inputs, the second derivatives, of the shape of the one followed by that of the other.
 * @example
 * const [[h]] = hessian((x) => x.pow(3).sum(), [tensor([1, 2])])
 * h // [[6, 0], [0, 12]]
 */
export function hessian<D extends FloatDType>(fn: Fn<D>, inputs: readonly Tensor<D>[]): Tensor<D>[][] {
  return onLeaves(inputs, (leaves) => {
    const y = scalar('hessian', fn(...leaves))
    return gradsOf([y], leaves, [null], true).map((g) => jacobianAt(g, leaves))
  })
}

function scalar<D extends FloatDType>(what: string, y: Tensor<D>): Tensor<D> {
  if (y.size !== 1) throw new FirnError('shape', `${what}: fn must return one number, and returned shape [${y.shape.join(', ')}]`)
  return y
}

/** One backward pass for each element of `y`. */
function jacobianAt<D extends FloatDType>(y: Tensor<D>, leaves: readonly Tensor<D>[]): Tensor<D>[] {
  const rows = Array.from({ length: y.size }, (_, i) => {
    const one = noGrad(() => {
      const elements = Array.from({ length: y.size }, (_, j) => (j === i ? 1 : 0))
      return tensor(elements, { shape: y.shape, dtype: y.dtype })
    })
    return gradsOf([y], leaves, [one])
  })
  return leaves.map((leaf, at) => {
    const parts = rows.map((row) => row[at] ?? zerosLike(leaf))
    return parts.length === 0 ? leaf.detach().reshape([...y.shape, ...leaf.shape]) : stack(parts).reshape([...y.shape, ...leaf.shape])
  })
}
