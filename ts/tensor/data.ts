// What `tensor` takes: numbers, booleans and bigints, nested arrays of them, typed arrays.
import { native } from '../backend/index.ts'
import { FirnError } from '../errors.ts'
import { describe, sizes } from './convert.ts'
import { dtypeCode, dtypeOfArray, type DType, type HalfArray } from './dtype.ts'

/** Nested arrays, as deep as the tensor's rank; a number or boolean for rank 0. */
export type Nested<T> = T | readonly Nested<T>[]

type Arrays =
  | Float64Array
  | Float32Array
  | HalfArray
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array

/** What a tensor is made of. */
export type TensorData = Nested<number> | Nested<boolean> | Nested<bigint> | Arrays

/** The dtype of data when none is given. */
export type DTypeOf<T> = T extends Float64Array
  ? 'float64'
  : T extends BigInt64Array
    ? 'int64'
    : T extends Int32Array
      ? 'int32'
      : T extends Int16Array
        ? 'int16'
        : T extends Int8Array
          ? 'int8'
          : T extends Uint8Array | Uint8ClampedArray
            ? 'uint8'
            : T extends HalfArray
              ? 'float16'
              : T extends Nested<boolean>
                ? 'bool'
                : T extends Nested<bigint>
                  ? 'int64'
                  : 'float32'

/** A handle to a tensor of these elements. */
export function fromData(data: TensorData, wanted: DType | undefined, shape: readonly number[] | undefined): number {
  if (ArrayBuffer.isView(data)) return fromArray(data, wanted, shape)
  const { elements, shape: own } = flatten(data)
  const to = sizes(shape ?? own)
  if (elements instanceof Float64Array) return native.fromNumbers(elements, to, dtypeCode(wanted ?? 'float32'))
  return fromBytes(elements, to, elements instanceof Uint8Array ? 'bool' : 'int64', wanted)
}

function fromArray(data: Arrays, wanted: DType | undefined, shape: readonly number[] | undefined): number {
  const bits = data instanceof Uint16Array && (wanted === 'float16' || wanted === 'bfloat16')
  const dtype = bits ? wanted : dtypeOfArray(data)
  if (dtype === undefined) {
    const remedy =
      data instanceof Uint16Array
        ? "Int32Array.from(data), or { dtype: 'bfloat16' } or 'float16' if these are its bits"
        : 'Int32Array.from(data) or BigInt64Array.from(data)'
    throw new FirnError('dtype', `tensor: no dtype holds the elements of a ${describe(data)}; convert it first: ${remedy}`)
  }
  return fromBytes(data, sizes(shape ?? [data.length]), dtype, wanted)
}

function fromBytes(data: ArrayBufferView, shape: Uint32Array, dtype: DType, wanted: DType = dtype): number {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const made = native.fromBytes(bytes, shape, dtypeCode(dtype))
  if (wanted === dtype) return made
  try {
    return native.toDtype(made, dtypeCode(wanted))
  } finally {
    native.freeOne(made)
  }
}

type Elements = Float64Array | Uint8Array | BigInt64Array

/** The elements of nested arrays in row-major order, as the kind that the first one is. */
function flatten(data: unknown): { elements: Elements; shape: number[] } {
  const shape: number[] = []
  let first = data
  for (; Array.isArray(first); first = first[0]) shape.push(first.length)
  const size = shape.reduce((a, b) => a * b, 1)
  const elements = size === 0 ? new Float64Array() : storage(first, size)
  const kind = typeof first
  let at = 0
  const fill = (part: unknown, depth: number): void => {
    if (depth < shape.length) {
      if (!Array.isArray(part) || part.length !== shape[depth]) throw ragged(part, shape)
      for (const inner of part) fill(inner, depth + 1)
    } else if (typeof part !== kind) {
      throw Array.isArray(part) ? ragged(part, shape) : unfit(part, `all of them ${kind}s like the first one`)
    } else if (elements instanceof BigInt64Array) {
      elements[at++] = whole(part)
    } else {
      elements[at++] = Number(part)
    }
  }
  fill(data, 0)
  return { elements, shape }
}

function storage(first: unknown, size: number): Elements {
  if (typeof first === 'number') return new Float64Array(size)
  if (typeof first === 'boolean') return new Uint8Array(size)
  if (typeof first === 'bigint') return new BigInt64Array(size)
  throw unfit(first, 'numbers, booleans or bigints')
}

function whole(value: unknown): bigint {
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
  throw new FirnError('argument', `tensor: ${String(value)} is outside the range of dtype int64`)
}

function ragged(part: unknown, shape: readonly number[]): FirnError {
  const what = Array.isArray(part) ? `an array of ${part.length}` : describe(part)
  return new FirnError(
    'shape',
    `tensor: the nested arrays are ragged; every array at one depth must have one length, as in [${shape.join(', ')}], and one part is ${what}`,
  )
}

function unfit(value: unknown, expected: string): FirnError {
  const isTensor = typeof value === 'object' && value !== null && 'handle' in value
  const remedy = isTensor ? '; use x.clone() or x.detach() for a tensor of its own, stack(list) for several' : ''
  return new FirnError(
    'dtype',
    `tensor: expected ${expected} and got ${typeof value === 'string' ? `'${value}'` : describe(value)}${remedy}`,
  )
}
