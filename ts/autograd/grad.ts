// Gradients as values, and backward as a function.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { handlesOf, walking, wrapHandle, type BackwardOptions, type DType, type Tensor } from '../tensor/index.ts'

/** Options of `backward` from several tensors. */
export interface BackwardFromOptions extends Omit<BackwardOptions, 'gradient'> {
  /** Gradient of each tensor; needed where one holds more than one element. */
  readonly gradients?: readonly (Tensor<DType> | null)[]
}

/**
 * `x.backward(options)` as a function, from one tensor or from several in one pass.
 * @example
 * const x = tensor([1, 2], { requiresGrad: true })
 * backward(x.square(), { gradient: ones([2]) })
 * x.grad // [2, 4]
 * @example
 * const x = tensor([1, 2], { requiresGrad: true })
 * backward([x.sum(), x.mul(3)], { gradients: [null, ones([2])] })
 * x.grad // [4, 4]
 */
export function backward<D extends DType>(x: Tensor<D>, options?: BackwardOptions<D>): void
export function backward(roots: readonly Tensor<DType>[], options?: BackwardFromOptions): void
export function backward<D extends DType>(
  roots: Tensor<D> | readonly Tensor<DType>[],
  options: BackwardOptions<D> | BackwardFromOptions = {},
): void {
  if ('handle' in roots) return roots.backward(options)
  checkOptions('backward', options, ['gradients', 'retainGraph', 'createGraph'])
  const { retainGraph = false, createGraph = false } = options
  const starts = startsOf('backward', roots, 'gradients' in options ? options.gradients : undefined)
  walking(() => native.backwardFrom(handlesOf(roots), starts, (retainGraph ? 1 : 0) | (createGraph ? 2 : 0)))
}

/** Options of `grad`. */
export interface GradOptions {
  /** Gradient of each output; needed where one holds more than one element. */
  readonly gradients?: readonly (Tensor<DType> | null)[]
  /** Keep the graph for another pass. @default false */
  readonly retainGraph?: boolean
  /** Put the pass on the tape, for gradients of gradients. @default false */
  readonly createGraph?: boolean
  /** Give null for an input that no output came from, rather than an error. @default false */
  readonly allowUnused?: boolean
}

/** One gradient for each input, of its dtype. */
export type GradsOf<I extends readonly Tensor<DType>[], Missing = never> = {
  -readonly [K in keyof I]: (I[K] extends Tensor<infer D> ? Tensor<D> : never) | Missing
}

/**
 * The gradients of the sum of `outputs` for each of `inputs`, leaving every `.grad` alone. Inputs may be results of ops, and may be among
 * the outputs. Only the part of the graph between outputs and inputs is walked.
 * @example
 * const x = tensor([3], { requiresGrad: true })
 * grad(x.pow(2), [x]) // [[6]]
 * @throws FirnError 'autograd' when no output came from an input, unless `allowUnused`
 */
export function grad<const I extends readonly Tensor<DType>[]>(
  outputs: Tensor<DType> | readonly Tensor<DType>[],
  inputs: I,
  options: GradOptions & { readonly allowUnused: true },
): GradsOf<I, null>
export function grad<const I extends readonly Tensor<DType>[]>(
  outputs: Tensor<DType> | readonly Tensor<DType>[],
  inputs: I,
  options?: GradOptions,
): GradsOf<I>
export function grad(
  outputs: Tensor<DType> | readonly Tensor<DType>[],
  inputs: readonly Tensor<DType>[],
  options: GradOptions = {},
): (Tensor<DType> | null)[] {
  checkOptions('grad', options, ['gradients', 'retainGraph', 'createGraph', 'allowUnused'])
  const { gradients, retainGraph = false, createGraph = false, allowUnused = false } = options
  const list = 'handle' in outputs ? [outputs] : outputs
  const starts = startsOf('grad', list, gradients)
  const found = walking(() => native.gradients(handlesOf(list), starts, handlesOf(inputs), retainGraph, createGraph))
  const missing = found.indexOf(0)
  if (missing >= 0 && !allowUnused) {
    native.free(Uint32Array.from(found.filter((handle) => handle !== 0)))
    throw new FirnError(
      'autograd',
      `grad: no output came from input ${missing}, so it has no gradient; { allowUnused: true } gives null for it`,
    )
  }
  return found.map((handle) => (handle === 0 ? null : wrapHandle<DType>(handle)))
}

function startsOf(what: string, roots: readonly Tensor<DType>[], gradients?: readonly (Tensor<DType> | null)[]): Uint32Array {
  if (gradients !== undefined && gradients.length !== roots.length) {
    throw new FirnError('argument', `${what}: got ${gradients.length} gradients for ${roots.length} tensors; null stands for none`)
  }
  return Uint32Array.from(roots, (_, i) => gradients?.[i]?.handle ?? 0)
}
