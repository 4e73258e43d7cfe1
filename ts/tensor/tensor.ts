// Tensor: a handle to a value in the core; its ops come from the generated TensorOps.
import { native, resolveDevice } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { dtypeCode, dtypeOf, numbers, typedArray, type DType, type TypedArrayOf } from './dtype.ts'
import { catchLater, caught, isUnscoped } from './lifetime.ts'
import { TensorOps } from './ops.gen.ts'
import { readPlaces, writePlaces, type IndexPutOptions, type Place } from './places.ts'
import { show } from './print.ts'
import { resolve, type SliceRange } from './slice.ts'

/** Nested arrays, as deep as the tensor's rank; a number or boolean for rank 0. */
export type Nested<T> = T | readonly Nested<T>[]

/** What a single element is in JavaScript. */
export type Item<D extends DType> = D extends 'bool' ? boolean : number

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

/**
 * An array of numbers on a device, of any rank. Values never alias: no operation on one tensor is seen through another.
 * @example
 * const x = tensor([[1, 2], [3, 4]], { requiresGrad: true })
 * x.mul(x).sum().backward()
 * console.log(x.grad) // [[2, 4], [6, 8]]
 */
export class Tensor<D extends DType = 'float32'> extends TensorOps<D> {
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
    if (isUnscoped()) this.#place = catchLater(this)
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

  /** Number of dimensions. @example zeros([2, 3]).rank // 2 */
  get rank(): number {
    return this.shape.length
  }

  /** Number of elements. @example zeros([2, 3]).size // 6 */
  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1)
  }

  /** Whether gradients flow to this tensor; settable on leaves of floating point. @example zeros([2], { requiresGrad: true }).mul(2).requiresGrad // true */
  get requiresGrad(): boolean {
    return native.requiresGrad(this.#handle)
  }

  set requiresGrad(requiresGrad: boolean) {
    native.setRequiresGrad(this.#handle, requiresGrad)
  }

  /** The gradient that backward passes added up, null when there is none. @example zeros([2]).grad // null */
  get grad(): Tensor<D> | null {
    const handle = native.gradOf(this.#handle)
    return handle === 0 ? null : new Tensor<D>(handle)
  }

  set grad(grad: Tensor<D> | null) {
    native.setGrad(this.#handle, grad === null ? 0 : grad.handle)
  }

  /** Whether the value was freed. @example zeros([2]).isDisposed // false */
  get isDisposed(): boolean {
    return !native.isLive(this.#handle)
  }

  /** The elements in row-major order, copied; float16 and bfloat16 come as their 16 bits. @example tensor([[1, 2]]).dataSync() // [1, 2] */
  dataSync(): TypedArrayOf<D> {
    return typedArray(this.dtype, native.read(this.handle))
  }

  /** The elements in row-major order, copied; float16 and bfloat16 come as their 16 bits. @example await tensor([[1, 2]]).data() // [1, 2] */
  async data(): Promise<TypedArrayOf<D>> {
    return this.dataSync()
  }

  #numbers(): number[] {
    return numbers(this.dtype, native.read(this.handle))
  }

  /** The one element of a tensor of size 1; int64 as a number. @example tensor([[5]]).itemSync() // 5 */
  itemSync(): Item<D> {
    const [value, ...others] = this.#numbers()
    if (value === undefined || others.length > 0) {
      throw new FirnError(
        'shape',
        `item: expected one element and shape [${this.shape.join(', ')}] has ${this.size}; use data() or index first`,
      )
    }
    return this.#item(value)
  }

  /** The one element of a tensor of size 1; int64 as a number. @example await tensor([1, 2]).sum().item() // 3 */
  async item(): Promise<Item<D>> {
    return this.itemSync()
  }

  #item(value: number): Item<D> {
    return (this.dtype === 'bool' ? value !== 0 : value) as Item<D>
  }

  /** The elements as nested arrays. @example eye(2).toArraySync() // [[1, 0], [0, 1]] */
  toArraySync(): Nested<Item<D>> {
    const values = this.#numbers()
    const { shape } = this
    let at = 0
    const build = (dim: number): Nested<Item<D>> =>
      dim === shape.length ? this.#item(values[at++] ?? 0) : Array.from({ length: shape[dim] ?? 0 }, () => build(dim + 1))
    return build(0)
  }

  /** The elements as nested arrays. @example await eye(2).toArray() // [[1, 0], [0, 1]] */
  async toArray(): Promise<Nested<Item<D>>> {
    return this.toArraySync()
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

  /** The same value, cut off from the tape. @example ones([2], { requiresGrad: true }).detach().requiresGrad // false */
  detach(): Tensor<D> {
    return this.wrap<D>(native.detach(this.handle))
  }

  /** A tensor of its own with the same value, on the tape. @example ones([2], { requiresGrad: true }).clone().requiresGrad // true */
  clone(): Tensor<D> {
    return this.wrap<D>(native.toDtype(this.handle, dtypeCode(this.dtype)))
  }

  /** Replaces the value in place, outside the tape; shape and dtype stay. Nobody else sees the change. @example zeros([2]).assign(tensor([1, 2])) // [1, 2] */
  assign(value: Tensor<D>): this {
    native.assign(this.handle, value.handle)
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
    native.backward(this.handle, gradient?.handle ?? 0, (retainGraph ? 1 : 0) | (createGraph ? 2 : 0))
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

  /** Dtype, shape and a summary of the elements. @example String(tensor([1, 2])) // 'Tensor float32 [2]\n[1.0000, 2.0000]' */
  override toString(): string {
    if (this.isDisposed) return 'Tensor (freed)'
    return show(this.dtype, this.shape, this.#numbers())
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** A tensor around a handle that the binding returned. */
export function wrapHandle<D extends DType>(handle: number): Tensor<D> {
  return new Tensor<D>(handle)
}
