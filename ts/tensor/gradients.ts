// What the tape is to a tensor: whether it is tracked, its gradient, backward passes and hooks.
import { native } from '../backend/index.ts'
import { checkOptions } from '../errors.ts'
import { original } from './callback.ts'
import type { DType } from './dtype.ts'
import { gradientHook, leafHook, type HookHandle } from './hooks.ts'
import { TensorReading } from './reading.ts'
import type { Tensor } from './tensor.ts'

export interface BackwardOptions<D extends DType = 'float32'> {
  /** Gradient of the result, of this tensor's shape; needed unless it holds one element. */
  readonly gradient?: Tensor<D>
  /** Keep the graph for another pass. @default false */
  readonly retainGraph?: boolean
  /**
   * Put the pass itself on the tape, for gradients of gradients. The `.grad` it leaves refers to its own leaf: set it to null, or take the
   * gradients with `grad()`, for the graph to be freed. @default false
   */
  readonly createGraph?: boolean
}

/** How gradients of a tensor are had; `Tensor` adds what changes its value. */
export abstract class TensorGradients<D extends DType = 'float32'> extends TensorReading<D> {
  /** Whether gradients flow to this tensor; settable on leaves of floating point. @example zeros([2], { requiresGrad: true }).mul(2).requiresGrad // true */
  get requiresGrad(): boolean {
    return native.requiresGrad(this.handle)
  }

  set requiresGrad(requiresGrad: boolean) {
    native.setRequiresGrad(this.handle, requiresGrad)
  }

  /** The gradient that backward passes added up, null when there is none. @example zeros([2]).grad // null */
  get grad(): Tensor<D> | null {
    const handle = native.gradOf(this.handle)
    return handle === 0 ? null : this.wrap<D>(handle)
  }

  set grad(grad: Tensor<D> | null) {
    native.setGrad(this.handle, grad === null ? 0 : grad.handle)
  }

  /**
   * Adds the gradients of this tensor to the `.grad` of every leaf it came from.
   * @example
   * const x = tensor([1, 2], { requiresGrad: true })
   * x.square().sum().backward()
   * x.grad // [2, 4]
   * @throws FirnError 'autograd' without a path to a leaf, for more than one element without `gradient`, or a second time without `retainGraph`
   */
  backward(options: BackwardOptions<D> = {}): void {
    checkOptions('backward', options, ['gradient', 'retainGraph', 'createGraph'])
    const { gradient, retainGraph = false, createGraph = false } = options
    const flags = (retainGraph ? 1 : 0) | (createGraph ? 2 : 0)
    try {
      native.backward(this.handle, gradient?.handle ?? 0, flags)
    } catch (error) {
      throw original(error)
    }
  }

  /** Whether this is not the result of a recorded op; leaves that require gradients collect them. @example ones([2], { requiresGrad: true }).mul(2).isLeaf // false */
  get isLeaf(): boolean {
    return native.isLeaf(this.handle)
  }

  /**
   * Makes backward passes leave a gradient in `.grad` though this is no leaf.
   * @example
   * const y = tensor([3], { requiresGrad: true }).mul(2)
   * y.retainGrad()
   * y.square().sum().backward()
   * y.grad // [12]
   */
  retainGrad(): void {
    native.retainGrad(this.handle)
  }

  /**
   * Lets `hook` see the gradient of this tensor in every backward pass, once it is complete. What `hook` returns takes its place. Hooks run
   * in the order of their registration; tensors they make are freed, but what they return or keep.
   * @example
   * const x = tensor([1, 2], { requiresGrad: true })
   * x.registerHook((g) => g.mul(10))
   * x.sum().backward()
   * x.grad // [10, 10]
   */
  registerHook(hook: (gradient: Tensor<D>) => Tensor<D> | null | undefined | void): HookHandle {
    return gradientHook(this, hook, (handle) => this.wrap<D>(handle))
  }

  /**
   * Runs `hook` with this leaf when a backward pass has completed its `.grad`, before the pass goes on: the place for an update that frees the gradient at once.
   * @example
   * const w = tensor([1], { requiresGrad: true })
   * w.registerPostAccumulateGradHook((p) => { p.update((x) => x.sub(0.5)); p.grad = null })
   * w.mul(3).sum().backward()
   * w // [0.5]
   */
  registerPostAccumulateGradHook(hook: (leaf: this) => void): HookHandle {
    return leafHook(this, hook)
  }
}
