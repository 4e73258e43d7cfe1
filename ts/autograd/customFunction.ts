// Functions with a gradient written in TypeScript.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { callback, handlesOf, Tensor, wrapHandle, type DType } from '../tensor/index.ts'

type AnyTensor = Tensor<DType>

/** What the gradient of one argument may be. */
type Given = AnyTensor | null

/**
 * What forward and backward of one call share. Set whatever else backward needs on it: a number costs nothing, tensors go through
 * `saveForBackward`, so that they are freed with the graph.
 * @example
 * const scale = customFunction({
 *   forward: (ctx: FunctionContext & { factor?: number }, x: Tensor, factor: number) => { ctx.factor = factor; return x.mul(factor) },
 *   backward: (ctx, g) => [g.mul(ctx.factor ?? 1), null],
 * })
 * const x = tensor([1], { requiresGrad: true })
 * scale(x, 3).sum().backward()
 * x.grad // [3]
 */
export class FunctionContext {
  /** For each argument, whether its gradient is wanted. */
  readonly needsInputGrad: readonly boolean[]
  #saved: readonly AnyTensor[] = []
  #constant: readonly AnyTensor[] = []

  constructor(needsInputGrad: readonly boolean[] = []) {
    this.needsInputGrad = needsInputGrad
  }

  /** Keeps tensors for backward: arguments, results, or others. */
  saveForBackward(...tensors: AnyTensor[]): void {
    this.#saved = tensors
  }

  /** What was saved, in the same order. */
  get savedTensors(): readonly AnyTensor[] {
    return this.#saved
  }

  /** Says of results that no gradient flows through them. */
  markNonDifferentiable(...outputs: AnyTensor[]): void {
    this.#constant = outputs
  }

  /** What `markNonDifferentiable` was told. */
  get nonDifferentiable(): readonly AnyTensor[] {
    return this.#constant
  }
}

/** The gradients of what `forward` returns. */
type GradsOf<O> = O extends Tensor<infer D> ? [gradient: Tensor<D>] : O extends readonly AnyTensor[] ? { [K in keyof O]: O[K] } : never

/** The two halves of a function. */
export interface FunctionDefinition<C extends FunctionContext, A extends unknown[], O extends AnyTensor | readonly AnyTensor[]> {
  /** Computes the result, off the tape. */
  forward(ctx: C, ...args: A): O
  /** From the gradient of each result, the gradient of each argument: null for those without. Written with ops, it is differentiable itself. */
  backward(ctx: C, ...gradients: GradsOf<O>): Given | readonly Given[]
}

/**
 * A function with a gradient of your own. `forward` runs off the tape, on tensors and plain values; `backward` runs once a pass, with the
 * gradients of all results (zeros for those that got none).
 * @example
 * const square = customFunction({
 *   forward: (ctx, x: Tensor) => { ctx.saveForBackward(x); return x.mul(x) },
 *   backward: (ctx, g) => { const [x = g] = ctx.savedTensors; return g.mul(x).mul(2) },
 * })
 * const x = tensor([3], { requiresGrad: true })
 * square(x).sum().backward()
 * x.grad // [6]
 * @throws FirnError when backward returns another number of gradients, or one of another shape or dtype than its argument
 */
export function customFunction<
  A extends unknown[],
  O extends AnyTensor | readonly AnyTensor[] | [],
  C extends FunctionContext = FunctionContext,
>(definition: FunctionDefinition<C, A, O>): (...args: A) => O {
  checkOptions('customFunction', definition, ['forward', 'backward'])
  return (...args) => {
    const tensors = args.map((arg) => (arg instanceof Tensor ? arg : undefined))
    const recording = native.isGradEnabled()
    const needs = tensors.map((x) => recording && x !== undefined && x.requiresGrad)
    // Fields that C adds are the user's to set in forward.
    const ctx = new FunctionContext(needs) as C
    native.setGradEnabled(false)
    let result: O
    try {
      result = definition.forward(ctx, ...args)
    } finally {
      native.setGradEnabled(recording)
    }
    const outputs: readonly AnyTensor[] = result instanceof Tensor ? [result] : result
    if (!Array.isArray(outputs) || outputs.some((output) => !(output instanceof Tensor))) {
      throw new FirnError('argument', 'customFunction: forward must return a tensor or an array of tensors, at once and not as a promise')
    }
    const run = callback('customFunction', (handles) => {
      const all = handles.map((handle) => wrapHandle<DType>(handle))
      ctx.saveForBackward(...all.slice(outputs.length))
      const gradients = definition.backward(ctx, ...(all.slice(0, outputs.length) as GradsOf<O>))
      return gradients === null || gradients instanceof Tensor ? [gradients] : gradients
    })
    const saved = handlesOf(ctx.savedTensors)
    const constant = outputs.map((output) => ctx.nonDifferentiable.includes(output))
    const handles = native.customFunction(
      Uint32Array.from(tensors, (x) => x?.handle ?? 0),
      handlesOf(outputs),
      constant,
      saved,
      run,
    )
    ctx.saveForBackward()
    ctx.markNonDifferentiable()
    const wrapped = handles.map((handle) => wrapHandle<DType>(handle))
    return (result instanceof Tensor ? wrapped[0] : wrapped) as O
  }
}
