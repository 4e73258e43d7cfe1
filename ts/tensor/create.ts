// Tensors from data, constants, ranges and the generator.
import { native, resolveDevice } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { sizes } from './convert.ts'
import { dtypeCode, type DType } from './dtype.ts'
import { wrapHandle, type Nested, type Tensor } from './tensor.ts'

/** What every function that makes a tensor takes. */
export interface CreateOptions<D extends DType = DType> {
  /** @default 'float32' */
  readonly dtype?: D
  /** @default 'auto' */
  readonly device?: string
  /** Make it a leaf that collects gradients. @default false */
  readonly requiresGrad?: boolean
}

/** Typed arrays and the dtype each brings. */
interface ArrayDTypes {
  float64: Float64Array
  float32: Float32Array
  int64: BigInt64Array
  int32: Int32Array
  int16: Int16Array
  int8: Int8Array
  uint8: Uint8Array | Uint8ClampedArray
}

type Arrays = ArrayDTypes[keyof ArrayDTypes]

/** The dtype of data when none is given. */
type DTypeOf<T> = T extends Float64Array
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
            : T extends Nested<boolean>
              ? 'bool'
              : 'float32'

const createOptions = ['dtype', 'device', 'requiresGrad'] as const

function finish<D extends DType>(handle: number, { device, requiresGrad = false }: CreateOptions<D>): Tensor<D> {
  // Wrapped first: if the device or gradients are refused, the collector still finds the tensor.
  const made = wrapHandle<D>(handle)
  if (device !== undefined) resolveDevice(device)
  if (requiresGrad) made.requiresGrad = true
  return made
}

/** Checks the options of a function and gives the code of their dtype. */
function dtypeIn(what: string, options: CreateOptions<DType>, fallback: DType = 'float32'): number {
  checkOptions(what, options, createOptions)
  return dtypeCode(options.dtype ?? fallback)
}

/**
 * A tensor of numbers, booleans, nested arrays or a typed array. Plain numbers are float32, booleans bool, a typed array brings its dtype.
 * @example
 * tensor([[1, 2], [3, 4]]).shape                          // [2, 2]
 * tensor(new BigInt64Array([1n, 2n])).dtype               // 'int64'
 * tensor(new Float32Array(6), { shape: [2, 3] }).shape    // [2, 3]
 * @throws FirnError 'shape' for ragged arrays or a shape that does not fit
 */
export function tensor<const T extends Nested<number> | Nested<boolean> | Arrays, D extends DType = DTypeOf<T>>(
  data: T,
  options: CreateOptions<D> & { readonly shape?: readonly number[] } = {},
): Tensor<D> {
  checkOptions('tensor', options, [...createOptions, 'shape'])
  const { elements, shape, dtype } = flatten(data, options.dtype)
  const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)
  const raw = native.fromBytes(bytes, sizes(options.shape ?? shape), dtypeCode(dtype))
  const wanted = options.dtype ?? dtype
  if (wanted === dtype) return finish(raw, options)
  const cast = native.toDtype(raw, dtypeCode(wanted))
  native.freeOne(raw)
  return finish(cast, options)
}

function flatten(
  data: Nested<number> | Nested<boolean> | Arrays,
  wanted: DType = 'float32',
): { elements: ArrayBufferView; shape: number[]; dtype: DType } {
  if (ArrayBuffer.isView(data)) return { elements: data, shape: [data.length], dtype: dtypeOfArray(data) }
  const shape: number[] = []
  for (let level: unknown = data; Array.isArray(level); level = level[0]) shape.push(level.length)
  const flat: unknown[] = Array.isArray(data) ? data.flat(shape.length) : [data]
  const size = shape.reduce((a, b) => a * b, 1)
  if (flat.length !== size || flat.some(Array.isArray) || !isRegular(data, shape, 0)) {
    throw new FirnError(
      'shape',
      `tensor: the nested arrays are ragged; every array at one depth must have one length, as in [${shape.join(', ')}]`,
    )
  }
  const booleans = flat.length > 0 && flat.every((value) => typeof value === 'boolean')
  const wrong = flat.find((value) => typeof value !== (booleans ? 'boolean' : 'number'))
  if (wrong !== undefined) {
    throw new FirnError(
      'dtype',
      `tensor: expected numbers or booleans and got ${typeof wrong}; for int64 pass a BigInt64Array or { dtype: 'int64' }`,
    )
  }
  if (booleans) return { elements: Uint8Array.from(flat, Number), shape, dtype: 'bool' }
  // Through float64 to any other dtype: whole numbers beyond 2^24 would not survive float32.
  if (wanted !== 'float32') return { elements: Float64Array.from(flat, Number), shape, dtype: 'float64' }
  return { elements: Float32Array.from(flat, Number), shape, dtype: 'float32' }
}

function isRegular(data: unknown, shape: readonly number[], depth: number): boolean {
  if (!Array.isArray(data)) return depth === shape.length
  return data.length === shape[depth] && data.every((part) => isRegular(part, shape, depth + 1))
}

function dtypeOfArray(data: Arrays): DType {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof BigInt64Array) return 'int64'
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof Int16Array) return 'int16'
  if (data instanceof Int8Array) return 'int8'
  return 'uint8'
}

/** A tensor filled with one number. @example full([2, 2], 7) // [[7, 7], [7, 7]] */
export function full<D extends DType = 'float32'>(shape: readonly number[], value: number, options: CreateOptions<D> = {}): Tensor<D> {
  return finish(native.full(sizes(shape), value, dtypeIn('full', options)), options)
}

/** Zeros. @example zeros([2, 3]).shape // [2, 3] */
export function zeros<D extends DType = 'float32'>(shape: readonly number[], options: CreateOptions<D> = {}): Tensor<D> {
  return finish(native.full(sizes(shape), 0, dtypeIn('zeros', options)), options)
}

/** Ones. @example ones([2]).sum().itemSync() // 2 */
export function ones<D extends DType = 'float32'>(shape: readonly number[], options: CreateOptions<D> = {}): Tensor<D> {
  return finish(native.full(sizes(shape), 1, dtypeIn('ones', options)), options)
}

/** Zeros of another tensor's shape and dtype. @example zerosLike(tensor([1, 2])) // [0, 0] */
export function zerosLike<D extends DType>(x: Tensor<D>): Tensor<D> {
  return zeros(x.shape, { dtype: x.dtype })
}

/** Ones of another tensor's shape and dtype. @example onesLike(tensor([5, 6])) // [1, 1] */
export function onesLike<D extends DType>(x: Tensor<D>): Tensor<D> {
  return ones(x.shape, { dtype: x.dtype })
}

/** `start`, `start + step`, ... up to but without `end`. @example arange(0, 6, { step: 2 }).toArraySync() // [0, 2, 4] */
export function arange<D extends DType = 'float32'>(
  start: number,
  end: number,
  options: CreateOptions<D> & { readonly step?: number } = {},
): Tensor<D> {
  const { step = 1, ...rest } = options
  return finish(native.arange(start, end, step, dtypeIn('arange', rest)), rest)
}

/** `count` numbers from `start` to `end`, both included. @example linspace(0, 1, { count: 3 }) // [0, 0.5, 1] */
export function linspace<D extends DType = 'float32'>(
  start: number,
  end: number,
  options: CreateOptions<D> & { readonly count: number },
): Tensor<D> {
  const { count, ...rest } = options
  if (!Number.isInteger(count) || count < 1)
    throw new FirnError('argument', `linspace: count must be a whole number of 1 or more and is ${count}`)
  const values = Float64Array.from({ length: count }, (_, i) => (count === 1 ? start : start + ((end - start) * i) / (count - 1)))
  return tensor(values, { dtype: 'float32', ...rest } as CreateOptions<D>)
}

/** The identity matrix of size `n`. @example eye(2) // [[1, 0], [0, 1]] */
export function eye<D extends DType = 'float32'>(n: number, options: CreateOptions<D> = {}): Tensor<D> {
  const code = dtypeIn('eye', options)
  const range = native.arange(0, n, 1, dtypeCode('int64'))
  const column = native.unsqueeze(range, 1)
  const hits = native.eq(column, range, 0)
  const out = native.toDtype(hits, code)
  native.free(Uint32Array.of(range, column, hits))
  return finish(out, options)
}

/** Uniform in `[0, 1)`. @example rand([2, 3]) // shape [2, 3] */
export function rand<D extends DType = 'float32'>(shape: readonly number[], options: CreateOptions<D> = {}): Tensor<D> {
  return finish(native.randomUniform(sizes(shape), 0, 1, dtypeIn('rand', options)), options)
}

/** Normal with mean 0 and standard deviation 1. @example randn([2, 3]) // shape [2, 3] */
export function randn<D extends DType = 'float32'>(shape: readonly number[], options: CreateOptions<D> = {}): Tensor<D> {
  return finish(native.randomNormal(sizes(shape), 0, 1, dtypeIn('randn', options)), options)
}

/** Whole numbers in `[low, high)`, int64 unless asked otherwise. @example randint(3, 4, { shape: [2] }) // [3, 3] */
export function randint<D extends DType = 'int64'>(
  low: number,
  high: number,
  options: CreateOptions<D> & { readonly shape: readonly number[] },
): Tensor<D> {
  const { shape, ...rest } = options
  return finish(native.randomInt(sizes(shape), low, high, dtypeIn('randint', rest, 'int64')), rest)
}

/** 1 with probability `p`, else 0. @example bernoulli([2], 1) // [1, 1] */
export function bernoulli<D extends DType = 'float32'>(shape: readonly number[], p: number, options: CreateOptions<D> = {}): Tensor<D> {
  return finish(native.randomBernoulli(sizes(shape), p, dtypeIn('bernoulli', options)), options)
}

/** The numbers `0` to `n - 1` in random order. @example randperm(4).sort().values // [0, 1, 2, 3] */
export function randperm(n: number): Tensor<'int64'> {
  return wrapHandle(native.randomPermutation(n))
}
