// Tensor: a handle to a value in the core; its ops come from the generated TensorOps.
import { native, resolveDevice } from '../backend/index.ts'
import { checkOptions } from '../errors.ts'
import { dtypeCode, dtypeOf, type DType } from './dtype.ts'
import { TensorGradients } from './gradients.ts'
import { catchLater, caught, isUnscoped, tidy } from './lifetime.ts'
import { trace, tracing } from './memory.ts'
import { readPlaces, writePlaces, type IndexPutOptions, type Place } from './places.ts'
import { resolve, type SliceRange } from './slice.ts'

const HERE = Symbol('a tensor stays on its thread: post `await x.data()` and make a tensor of it there; the tensor')

/**
 * An array of numbers on a device, of any rank. Values never alias: no operation on one tensor is seen through another.
 * @example
 * const x = tensor([[1, 2], [3, 4]], { requiresGrad: true })
 * x.mul(x).sum().backward()
 * console.log(x.grad) // [[2, 4], [6, 8]]
 */
export class Tensor<D extends DType = 'float32'> extends TensorGradients<D> {
  /** Structured clones refuse a symbol with its text, and would make a bare object of a tensor. */
  protected readonly thread: symbol = HERE
  #handle: number
  #shape: readonly number[] | undefined
  #dtype: DType | undefined
  #kept = false
  /** Its place among the youngest over the net; -1 for one that a scope frees. */
  #place = -1

  /** Wraps a native handle; users make tensors with `tensor`, `zeros` and the like. */
  constructor(handle: number) {
    super()
    this.#handle = handle
    if (isUnscoped(handle)) this.#place = catchLater(this)
    if (tracing) trace(handle)
  }

  get handle(): number {
    return this.#handle
  }

  protected wrap<R extends DType>(handle: number): Tensor<R> {
    return new Tensor<R>(handle)
  }

  #describe(): void {
    const [dtype = 0, ...shape] = native.describe(this.#handle)
    this.#dtype = dtypeOf(dtype)
    this.#shape = Object.freeze(shape)
  }

  /** Size of each dimension. @example zeros([2, 3]).shape // [2, 3] */
  get shape(): readonly number[] {
    if (this.#shape === undefined) this.#describe()
    return this.#shape ?? []
  }

  /** What its elements are. @example zeros([2]).dtype // 'float32' */
  get dtype(): D {
    if (this.#dtype === undefined) this.#describe()
    return this.#dtype as D
  }

  /** Where the values are. @example zeros([2]).device // 'cpu' */
  get device(): string {
    return native.deviceOf(this.#handle)
  }

  /** Whether the value was freed. @example zeros([2]).isDisposed // false */
  get isDisposed(): boolean {
    return !native.isLive(this.#handle)
  }

  /**
   * This tensor as another dtype, on another device; gradients flow back through it.
   * @example
   * ones([2]).to('int64').dtype // 'int64'
   */
  to<R extends DType = D>(to: R | { readonly dtype?: R; readonly device?: string }): Tensor<R> {
    const target = typeof to === 'string' ? { dtype: to } : to
    checkOptions('to', target, ['dtype', 'device'])
    if (target.device !== undefined) resolveDevice(target.device)
    return this.wrap<R>(native.toDtype(this.handle, dtypeCode(target.dtype ?? this.dtype)))
  }

  /** `to('float64')`. @example ones([1]).double().dtype // 'float64' */
  double(): Tensor<'float64'> {
    return this.to('float64')
  }

  /** `to('float32')`. @example tensor([true]).float() // [1] */
  float(): Tensor {
    return this.to('float32')
  }

  /** `to('float16')`. @example ones([1]).half().dtype // 'float16' */
  half(): Tensor<'float16'> {
    return this.to('float16')
  }

  /** `to('bfloat16')`. @example ones([1]).bfloat16().dtype // 'bfloat16' */
  bfloat16(): Tensor<'bfloat16'> {
    return this.to('bfloat16')
  }

  /** `to('int64')`. @example tensor([-1.5]).long() // [-1] */
  long(): Tensor<'int64'> {
    return this.to('int64')
  }

  /** `to('int32')`. @example tensor([1.5]).int().dtype // 'int32' */
  int(): Tensor<'int32'> {
    return this.to('int32')
  }

  /** `to('bool')`: anything but zero is true. @example tensor([0, 2]).bool() // [false, true] */
  bool(): Tensor<'bool'> {
    return this.to('bool')
  }

  /** The same value, cut off from the tape. @example ones([2], { requiresGrad: true }).detach().requiresGrad // false */
  detach(): Tensor<D> {
    return this.wrap<D>(native.detach(this.handle))
  }

  /** A tensor of its own with the same value, on the tape. @example ones([2], { requiresGrad: true }).clone().requiresGrad // true */
  clone(): Tensor<D> {
    return this.wrap<D>(native.toDtype(this.handle, dtypeCode(this.dtype)))
  }

  /**
   * Replaces the value in place, outside the tape; shape and dtype stay. Nobody else sees the change, the tape included.
   * @example zeros([2]).assign(tensor([1, 2])) // [1, 2]
   * @throws FirnError 'autograd' for a leaf that requires gradients, except inside `noGrad`
   */
  assign(value: Tensor<D>): this {
    native.assign(this.handle, value.handle)
    return this
  }

  /**
   * Replaces the value by what `fn` makes of it, off the tape: what `add_`, `mul_` and their like do to a parameter in PyTorch.
   * @example
   * const w = tensor([1, 2], { requiresGrad: true })
   * w.update((x) => x.mul(0.5).add(1)) // [1.5, 2]
   */
  update(fn: (x: this) => Tensor<D>): this {
    const recording = native.setGradEnabled(false)
    try {
      tidy(() => void this.assign(fn(this)))
    } finally {
      native.setGradEnabled(recording)
    }
    return this
  }

  /**
   * A part, as Python's `x[...]`: each place is a range of `slice` or a tensor. Tensors of positions (negative ones count from the end)
   * broadcast together and read one element each; a boolean tensor reads where it is true. Their dimensions stand where they were if they
   * are neighbours, else in front.
   * @example
   * const x = tensor([[1, 2], [3, 4], [5, 6]])
   * x.at(-1) // [5, 6]
   * x.at(tensor([2, 0], { dtype: 'int64' }), 1) // [6, 2]
   * x.at(x.gt(3)) // [4, 5, 6]
   */
  at(...places: readonly Place[]): Tensor<D> {
    const read = readPlaces(this, places)
    return typeof read === 'number' ? this.wrap<D>(read) : this.slice(...read)
  }

  /**
   * `at` with its places in a list.
   * @example
   * tensor([[1, 2], [3, 4]]).index([null, tensor([1, 1], { dtype: 'int64' })]) // [[2, 2], [4, 4]]
   */
  index(places: readonly Place[]): Tensor<D> {
    return this.at(...places)
  }

  /**
   * This tensor with `values` (a number, or a tensor that broadcasts) at the places that `at` would read, or added there with
   * `accumulate`, where repeated places add up. Places are tensors of positions, masks, and `null` for a whole dimension.
   * @example
   * zeros([3]).indexPut([tensor([0, 2], { dtype: 'int64' })], tensor([5, 6])) // [5, 0, 6]
   * zeros([2]).indexPut([tensor([1, 1], { dtype: 'int64' })], 1, { accumulate: true }) // [0, 2]
   */
  indexPut(places: readonly (Tensor<DType> | null)[], values: Tensor<D> | number, options: IndexPutOptions = {}): Tensor<D> {
    return this.wrap<D>(writePlaces(this, places, values, options))
  }

  /**
   * A part: for each dimension `null` (all), a place, `[start, stop, step?]` with negative and open (`null`) bounds; `'...'` fills up.
   * A step is 1 or more (`flip` reverses); `unsqueeze` adds dimensions.
   * @example
   * arange(0, 12).reshape([3, 4]).slice([1, null], [0, -1, 2]).shape // [2, 2]
   */
  slice(...ranges: SliceRange[]): Tensor<D> {
    const { shape } = this
    const { triples, dropped } = resolve(shape, ranges)
    const part = native.takeSlices(this.handle, triples)
    if (dropped.length === 0) return this.wrap<D>(part)
    const squeezed = native.squeeze(part, Int32Array.from(dropped))
    native.freeOne(part)
    return this.wrap<D>(squeezed)
  }

  /** Frees the value now; doing it again does nothing. @example const x = zeros([2]); x.dispose(); x.isDisposed // true */
  dispose(): void {
    native.freeOne(this.#handle)
    caught(this, this.#place)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Exempts this tensor from every scope: it lives until `dispose()` or until its object is collected. @example tidy(() => void zeros([2]).keep()) // undefined */
  keep(): this {
    native.keep(this.handle)
    if (this.#place < 0) this.#place = catchLater(this)
    this.#kept = true
    return this
  }

  /** Whether `keep()` exempted it from every scope. @example zeros([2]).keep().isKept // true */
  get isKept(): boolean {
    return this.#kept
  }
}

/** A tensor around a handle that the binding returned. */
export function wrapHandle<D extends DType>(handle: number): Tensor<D> {
  return new Tensor<D>(handle)
}
