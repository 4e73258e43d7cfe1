// Dtypes: their names, their codes in the core, their typed arrays, and promotion as types.
import { FirnError, unknownName } from '../errors.ts'

/** In the order of their codes in the core. */
const names = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64'] as const

/** Element type of a tensor. */
export type DType = (typeof names)[number]

export type FloatDType = 'float16' | 'bfloat16' | 'float32' | 'float64'

/** The typed array of a dtype's elements; half types come as their 16 bits, booleans as 0 and 1. */
export interface TypedArrays {
  bool: Uint8Array
  uint8: Uint8Array
  int8: Int8Array
  int16: Int16Array
  int32: Int32Array
  int64: BigInt64Array
  float16: Uint16Array
  bfloat16: Uint16Array
  float32: Float32Array
  float64: Float64Array
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

const views: { readonly [K in DType]: (bytes: Uint8Array) => TypedArrays[K] } = {
  bool: (bytes) => bytes,
  uint8: (bytes) => bytes,
  int8: ({ buffer, byteOffset, length }) => new Int8Array(buffer, byteOffset, length),
  int16: ({ buffer, byteOffset, length }) => new Int16Array(buffer, byteOffset, length / 2),
  int32: ({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length / 4),
  int64: ({ buffer, byteOffset, length }) => new BigInt64Array(buffer, byteOffset, length / 8),
  float16: ({ buffer, byteOffset, length }) => new Uint16Array(buffer, byteOffset, length / 2),
  bfloat16: ({ buffer, byteOffset, length }) => new Uint16Array(buffer, byteOffset, length / 2),
  float32: ({ buffer, byteOffset, length }) => new Float32Array(buffer, byteOffset, length / 4),
  float64: ({ buffer, byteOffset, length }) => new Float64Array(buffer, byteOffset, length / 8),
}

/** A view of little-endian bytes as the typed array of a dtype. */
export function typedArray<D extends DType>(dtype: D, bytes: Uint8Array): TypedArrayOf<D> {
  return views[dtype](bytes)
}

/** The elements as plain numbers. */
export function numbers(dtype: DType, bytes: Uint8Array): number[] {
  const array = typedArray(dtype, bytes)
  if (array instanceof BigInt64Array) return Array.from(array, Number)
  if (dtype === 'float16') return Array.from(array, half)
  if (dtype === 'bfloat16') return Array.from(new Float32Array(Uint32Array.from(array, (bits) => bits << 16).buffer))
  return Array.from(array)
}

/** IEEE 754 binary16 from its bits. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = (bits & 1023) / 1024
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction)
}
