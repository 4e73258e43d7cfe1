// Reading a tensor: typed arrays, items, nested arrays, text.
import { native } from '../backend/index.ts'
import type { Nested } from './data.ts'
import { bytesOf, dtypeCode, dtypeOf, numbers, typedArray, type DType, type TypedArrayOf } from './dtype.ts'
import { TensorOps } from './ops.gen.ts'
import { EDGE, show, summarised } from './print.ts'

/** What a single element is in JavaScript. */
export type Item<D extends DType> = D extends 'bool' ? boolean : number

/** The elements of a value without a tape, in row-major order. */
function bytesAt(handle: number, dtype: DType, size: number): ArrayBuffer {
  const bytes = new Uint8Array(new ArrayBuffer(size * bytesOf(dtype)))
  native.read(handle, bytes)
  return bytes.buffer
}

/** How a tensor is read; `Tensor` adds what changes it. */
export abstract class TensorReading<D extends DType = 'float32'> extends TensorOps<D> {
  abstract get shape(): readonly number[]
  abstract get dtype(): D
  abstract get device(): string
  abstract get requiresGrad(): boolean
  abstract get isDisposed(): boolean

  /** Number of dimensions. @example zeros([2, 3]).rank // 2 */
  get rank(): number {
    return this.shape.length
  }

  /** Number of elements. @example zeros([2, 3]).size // 6 */
  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1)
  }

  #bytes(): ArrayBuffer {
    return bytesAt(this.handle, this.dtype, this.size)
  }

  /**
   * The elements in row-major order, copied once into an array of their type that may be written and transferred; bfloat16 comes as its 16
   * bits, float16 too before Node 24.
   * @example
   * tensor([[1, 2]]).dataSync() // [1, 2]
   */
  dataSync(): TypedArrayOf<D> {
    return typedArray(this.dtype, this.#bytes())
  }

  /** The elements in row-major order, as `dataSync` gives them. @example await tensor([[1, 2]]).data() // [1, 2] */
  async data(): Promise<TypedArrayOf<D>> {
    return this.dataSync()
  }

  /** The one element of a tensor of size 1; an int64 beyond 2^53 is rounded. @example tensor([[5]]).itemSync() // 5 */
  itemSync(): Item<D> {
    return this.#item(native.item(this.handle))
  }

  /** The one element of a tensor of size 1; an int64 beyond 2^53 is rounded. @example await tensor([1, 2]).sum().item() // 3 */
  async item(): Promise<Item<D>> {
    return this.itemSync()
  }

  #item(value: number): Item<D> {
    return (this.dtype === 'bool' ? value !== 0 : value) as Item<D>
  }

  /** The elements as nested arrays of numbers or booleans; an int64 beyond 2^53 is rounded, and exact in `data`. @example eye(2).toArraySync() // [[1, 0], [0, 1]] */
  toArraySync(): Nested<Item<D>> {
    const values = numbers(this.dtype, this.#bytes())
    const { shape } = this
    let at = 0
    const build = (dim: number): Nested<Item<D>> =>
      dim === shape.length ? this.#item(values[at++] ?? 0) : Array.from({ length: shape[dim] ?? 0 }, () => build(dim + 1))
    return build(0)
  }

  /** The elements as nested arrays, as `toArraySync` gives them. @example await eye(2).toArray() // [[1, 0], [0, 1]] */
  async toArray(): Promise<Nested<Item<D>>> {
    return this.toArraySync()
  }

  /** Dtype, shape, device and a summary of the elements. @example String(tensor([1, 2])) // 'Tensor float32 [2] cpu\n[1., 2.]' */
  override toString(): string {
    if (this.isDisposed) return 'Tensor (freed)'
    const grad = this.requiresGrad ? ' requiresGrad' : ''
    const head = `Tensor ${this.dtype} [${this.shape.join(', ')}] ${this.device}${grad}`
    return this.size === 0 ? `${head} (empty)` : `${head}\n${show(this.dtype, this.shape, this.#shown())}`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /** The elements that are printed: of a large tensor, only the ends of each long dimension are read. */
  #shown(): number[] {
    const cut = summarised(this.shape)
    let at = native.detach(this.handle)
    try {
      for (const [dim, size] of this.shape.entries()) {
        if (!cut || size <= 2 * EDGE) continue
        const ends = Float64Array.from({ length: 2 * EDGE }, (_, i) => (i < EDGE ? i : size - 2 * EDGE + i))
        const places = native.fromNumbers(ends, Uint32Array.of(ends.length), dtypeCode('int64'))
        const part = native.indexSelect(at, dim, places)
        native.free(Uint32Array.of(at, places))
        at = part
      }
      const [code = 0, ...shape] = native.describe(at)
      return numbers(
        dtypeOf(code),
        bytesAt(
          at,
          dtypeOf(code),
          shape.reduce((product, size) => product * size, 1),
        ),
      )
    } finally {
      native.freeOne(at)
    }
  }
}
