// Dtypes: their names, their codes in the core, their typed arrays, and promotion as types.
import { FirnError, unknownName } from '../errors.ts'

/** In the order of their codes in the core. */
const names = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64'] as const

/** Element type of a tensor. */
export type DType = (typeof names)[number]

export type FloatDType = 'float16' | 'bfloat16' | 'float32' | 'float64'

/** `Float16Array` where the program's types know it, else never. */
export type HalfArray = typeof globalThis extends { Float16Array: { prototype: infer A } } ? A : never

/**
 * The typed array of a dtype's elements; booleans come as 0 and 1, bfloat16 as its 16 bits, float16 as its bits too where the runtime has
 * no `Float16Array` (Node before 24).
 */
export interface TypedArrays {
  bool: Uint8Array<ArrayBuffer>
  uint8: Uint8Array<ArrayBuffer>
  int8: Int8Array<ArrayBuffer>
  int16: Int16Array<ArrayBuffer>
  int32: Int32Array<ArrayBuffer>
  int64: BigInt64Array<ArrayBuffer>
  float16: HalfArray | Uint16Array<ArrayBuffer>
  bfloat16: Uint16Array<ArrayBuffer>
  float32: Float32Array<ArrayBuffer>
  float64: Float64Array<ArrayBuffer>
}

export type TypedArrayOf<D extends DType> = TypedArrays[D]

/** What each dtype gives way to. */
interface Below {
  bool: 'bool'
  uint8: 'bool' | 'uint8'
  int8: 'bool' | 'int8'
  int16: 'bool' | 'uint8' | 'int8' | 'int16'
  int32: 'bool' | 'uint8' | 'int8' | 'int16' | 'int32'
  int64: 'bool' | 'uint8' | 'int8' | 'int16' | 'int32' | 'int64'
  float16: Exclude<DType, 'bfloat16' | 'float32' | 'float64'>
  bfloat16: Exclude<DType, 'float16' | 'float32' | 'float64'>
  float32: Exclude<DType, 'float64'>
  float64: DType
}

/** The dtype two tensors meet in, as PyTorch promotes (every tensor counts, of whatever rank). */
export type Promote<A extends DType, B extends DType> = A extends Below[B]
  ? B
  : B extends Below[A]
    ? A
    : A extends 'uint8' | 'int8'
      ? 'int16'
      : 'float32'

/** The dtype of `a + b`: promoted, and int64 for booleans, which count. */
export type Arithmetic<A extends DType, B extends DType> = Promote<A, B> extends 'bool' ? 'int64' : Promote<A, B>

/** The dtype of a function with fractional values. */
export type Floating<D extends DType> = D extends FloatDType ? D : 'float32'

/** The dtype of a sum. */
export type Summed<D extends DType> = D extends FloatDType ? D : 'int64'

const codes = new Map<string, number>(names.map((name, code) => [name, code]))

/** A dtype's code in the core. */
export function dtypeCode(dtype: DType): number {
  const code = codes.get(dtype)
  if (code === undefined) throw unknownName('dtype', 'dtype', String(dtype), names)
  return code
}

export function dtypeOf(code: number): DType {
  const name = names[code]
  if (name === undefined) throw new FirnError('internal', `dtype: the core named dtype ${code}, which this version does not know`)
  return name
}

// Absent from older runtimes, whatever the types say.
const Float16: typeof Float16Array | undefined = globalThis.Float16Array

const makers: { readonly [K in DType]: { readonly bytes: number; readonly of: (buffer: ArrayBuffer) => TypedArrays[K] } } = {
  bool: { bytes: 1, of: (buffer) => new Uint8Array(buffer) },
  uint8: { bytes: 1, of: (buffer) => new Uint8Array(buffer) },
  int8: { bytes: 1, of: (buffer) => new Int8Array(buffer) },
  int16: { bytes: 2, of: (buffer) => new Int16Array(buffer) },
  int32: { bytes: 4, of: (buffer) => new Int32Array(buffer) },
  int64: { bytes: 8, of: (buffer) => new BigInt64Array(buffer) },
  float16: { bytes: 2, of: (buffer) => (Float16 === undefined ? new Uint16Array(buffer) : new Float16(buffer)) },
  bfloat16: { bytes: 2, of: (buffer) => new Uint16Array(buffer) },
  float32: { bytes: 4, of: (buffer) => new Float32Array(buffer) },
  float64: { bytes: 8, of: (buffer) => new Float64Array(buffer) },
}

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return makers[dtype].bytes
}

/** The dtype that a typed array brings; undefined for one that has none, as `Uint16Array`. */
export function dtypeOfArray(data: ArrayBufferView): DType | undefined {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof BigInt64Array) return 'int64'
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof Int16Array) return 'int16'
  if (data instanceof Int8Array) return 'int8'
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return 'uint8'
  return Float16 !== undefined && data instanceof Float16 ? 'float16' : undefined
}

/** Little-endian bytes as the typed array of a dtype. */
export function typedArray<D extends DType>(dtype: D, buffer: ArrayBuffer): TypedArrayOf<D> {
  return makers[dtype].of(buffer)
}

/** The elements as plain numbers. */
export function numbers(dtype: DType, buffer: ArrayBuffer): number[] {
  const array = typedArray(dtype, buffer)
  if (array instanceof BigInt64Array) return Array.from(array, Number)
  if (dtype === 'bfloat16') return Array.from(new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer))
  return array instanceof Uint16Array ? Array.from(array, half) : Array.from(array)
}

/** IEEE 754 binary16 from its bits. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = (bits & 1023) / 1024
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction)
}
