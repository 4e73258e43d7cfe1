// The elements of a batch before they are a tensor: rows in typed arrays, which a worker writes where the batch is to be.
import { FirnError } from '../errors.ts'
import { bytesOf, type DType, dtypeOfArray, type Tensor, tensor } from '../tensor/index.ts'

/** The elements of some samples in a row. */
export class Rows {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly byteLength: number
  readonly #parts: () => readonly ArrayBufferView[]

  /** @param parts little-endian elements; asked for once */
  constructor(dtype: DType, shape: readonly number[], parts: () => readonly ArrayBufferView[]) {
    this.dtype = dtype
    this.shape = shape
    this.byteLength = sizeOf(shape) * bytesOf(dtype)
    this.#parts = parts
  }

  /** Copies the elements to where they are to be. */
  write(target: Uint8Array): void {
    let at = 0
    for (const part of this.#parts()) {
      target.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at)
      at += part.byteLength
    }
  }

  /** The elements as a tensor. */
  tensor(): Tensor<DType> {
    const buffer = new ArrayBuffer(this.byteLength)
    this.write(new Uint8Array(buffer))
    return fromElements(this.dtype, this.shape, buffer)
  }
}

// The typed arrays that `tensor` takes for each dtype; halves as their bits.
const views: { readonly [K in DType]: new (buffer: ArrayBufferLike, at: number, length: number) => Elements } = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
}

type Elements = Uint8Array | Int8Array | Int16Array | Int32Array | BigInt64Array | Uint16Array | Float32Array | Float64Array

/** Whether a word is a dtype. */
export const isDType = (word: unknown): word is DType => typeof word === 'string' && Object.hasOwn(views, word)

/** A tensor of elements of its dtype, which are copied from where they are. */
export function fromElements(dtype: DType, shape: readonly number[], buffer: ArrayBufferLike, at = 0): Tensor<DType> {
  return tensor(new views[dtype](buffer, at, sizeOf(shape)), { dtype, shape })
}

/** The rows that a tensor has when it is read. */
export function rowsOf(values: Tensor<DType>): Rows {
  return new Rows(values.dtype, values.shape, () => [values.dataSync()])
}

/** The dtype that the elements of a typed array have in a batch; undefined for what is no typed array of numbers. */
export function rowDType(value: unknown): DType | undefined {
  return ArrayBuffer.isView(value) ? dtypeOfArray(value) : undefined
}

/** Whole numbers of 64 bits. Fails with code `'argument'` for those that are larger. */
export function int64(values: readonly bigint[]): BigInt64Array {
  const large = values.find((value) => BigInt.asIntN(64, value) !== value)
  if (large !== undefined) throw new FirnError('argument', `collate: ${large} is outside of the range of int64`)
  return BigInt64Array.from(values)
}

/** Elements in a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1)
