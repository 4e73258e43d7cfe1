// Gradients as values, and backward as a function.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { handlesOf, wrapHandle, type BackwardOptions, type DType, type Tensor } from '../tensor/index.ts'

export interface GradOptions<D extends DType = 'float32'> {
  /** Gradient of each output; needed where one holds more than one element. */
  readonly gradients?: readonly Tensor<D>[]
  /** Keep the graph for another pass. @default false */
  readonly retainGraph?: boolean
  /** Put the pass on the tape, for gradients of gradients. @default false */
  readonly createGraph?: boolean
}

/**
 * `x.backward(options)` as a function.
 * @example
 * const x = tensor([1, 2], { requiresGrad: true })
 * backward(x.square(), { gradient: ones([2]) })
 * x.grad // [2, 4]
 */
export function backward<D extends DType>(x: Tensor<D>, options: BackwardOptions<D> = {}): void {
  x.backward(options)
}

/**
 * The gradients of the sum of `outputs` for each of `inputs`, leaving every `.grad` alone.
 * @example
 * const x = tensor([3], { requiresGrad: true })
 * grad(x.pow(2), [x]) // [[6]]
 * @throws FirnError 'autograd' when no output came from an input
 */
export function grad<D extends DType>(
  outputs: Tensor<D> | readonly Tensor<D>[],
  inputs: readonly Tensor<D>[],
  options: GradOptions<D> = {},
): Tensor<D>[] {
  checkOptions('grad', options, ['gradients', 'retainGraph', 'createGraph'])
  const { gradients, retainGraph = false, createGraph = false } = options
  const list = 'handle' in outputs ? [outputs] : outputs
  const starts = Uint32Array.from(list, (_, i) => gradients?.[i]?.handle ?? 0)
  return native.gradients(handlesOf(list), starts, handlesOf(inputs), retainGraph, createGraph).map((handle, i) => {
    if (handle === 0) throw new FirnError('autograd', `grad: no output came from input ${i}, so it has no gradient`)
    return wrapHandle<D>(handle)
  })
}
