// Tensors from data, constants and ranges.
import { native, resolveDevice } from '../backend/index.ts'
import { checkOptions } from '../errors.ts'
import { count, sizes } from './convert.ts'
import { fromData, type DTypeOf, type TensorData } from './data.ts'
import { dtypeCode, type DType } from './dtype.ts'
import { wrapHandle, type Tensor } from './tensor.ts'

/** What every function that makes a tensor takes. */
export interface CreateOptions<D extends DType = DType> {
  /** @default 'float32' */
  readonly dtype?: D
  /** @default 'auto' */
  readonly device?: string
  /** Make it a leaf that collects gradients. @default false */
  readonly requiresGrad?: boolean
}

const createOptions = ['dtype', 'device', 'requiresGrad'] as const

/** Wraps a new handle as the options ask. */
export function finish<D extends DType>(handle: number, { device, requiresGrad = false }: CreateOptions<D>): Tensor<D> {
  // Wrapped first: if the device or gradients are refused, the collector still finds the tensor.
  const made = wrapHandle<D>(handle)
  if (device !== undefined) resolveDevice(device)
  if (requiresGrad) made.requiresGrad = true
  return made
}

/** Checks the options of a function and gives the code of their dtype. */
export function dtypeIn(what: string, options: CreateOptions<DType>, fallback: DType = 'float32'): number {
  checkOptions(what, options, createOptions)
  return dtypeCode(options.dtype ?? fallback)
}

/**
 * A tensor of numbers, booleans, bigints, nested arrays of one of them, or a typed array, copied once. Plain numbers are float32, booleans
 * bool, bigints int64, a typed array brings its dtype; a `Uint16Array` holds the bits of the half type that `dtype` names.
 * @example
 * tensor([[1, 2], [3, 4]]).shape                          // [2, 2]
 * tensor(new BigInt64Array([1n, 2n])).dtype               // 'int64'
 * tensor(new Float32Array(6), { shape: [2, 3] }).shape    // [2, 3]
 * @throws FirnError 'shape' for ragged arrays or a shape that does not fit, 'argument' for a number that the dtype cannot hold
 */
export function tensor<const T extends TensorData, D extends DType = DTypeOf<T>>(
  data: T,
  options: CreateOptions<D> & { readonly shape?: readonly number[] } = {},
): Tensor<D> {
  checkOptions('tensor', options, [...createOptions, 'shape'])
  return finish(fromData(data, options.dtype, options.shape), options)
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

/** Like `zeros`: no tensor of firn shows what memory held before. @example empty([2]) // [0, 0] */
export function empty<D extends DType = 'float32'>(shape: readonly number[], options: CreateOptions<D> = {}): Tensor<D> {
  return finish(native.full(sizes(shape), 0, dtypeIn('empty', options)), options)
}

function fullAs<D extends DType>(what: string, x: Tensor<DType>, value: number, options: CreateOptions<D>): Tensor<D> {
  return finish(native.full(sizes(x.shape), value, dtypeIn(what, options, x.dtype)), options)
}

/** A tensor of another's shape, and dtype unless asked otherwise, filled with one number. @example fullLike(zeros([2]), 7) // [7, 7] */
export function fullLike<D extends DType, E extends DType = D>(x: Tensor<D>, value: number, options: CreateOptions<E> = {}): Tensor<E> {
  return fullAs('fullLike', x, value, options)
}

/** Zeros of another tensor's shape, and dtype unless asked otherwise. @example zerosLike(tensor([1, 2])) // [0, 0] */
export function zerosLike<D extends DType, E extends DType = D>(x: Tensor<D>, options: CreateOptions<E> = {}): Tensor<E> {
  return fullAs('zerosLike', x, 0, options)
}

/** Ones of another tensor's shape, and dtype unless asked otherwise. @example onesLike(tensor([5, 6])) // [1, 1] */
export function onesLike<D extends DType, E extends DType = D>(x: Tensor<D>, options: CreateOptions<E> = {}): Tensor<E> {
  return fullAs('onesLike', x, 1, options)
}

/** Like `zerosLike`. @example emptyLike(tensor([5, 6])) // [0, 0] */
export function emptyLike<D extends DType, E extends DType = D>(x: Tensor<D>, options: CreateOptions<E> = {}): Tensor<E> {
  return fullAs('emptyLike', x, 0, options)
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
  const { count: steps, ...rest } = options
  return finish(native.linspace(start, end, count('linspace: count', steps), dtypeIn('linspace', rest)), rest)
}

/** `base` to the power of `count` numbers from `start` to `end`. @example logspace(0, 2, { count: 3 }) // [1, 10, 100] */
export function logspace<D extends DType = 'float32'>(
  start: number,
  end: number,
  options: CreateOptions<D> & { readonly count: number; /** @default 10 */ readonly base?: number },
): Tensor<D> {
  const { count: steps, base = 10, ...rest } = options
  return finish(native.logspace(start, end, count('logspace: count', steps), base, dtypeIn('logspace', rest)), rest)
}

/** The identity matrix of size `n`, or a matrix `[n, columns]` with ones on its diagonal. @example eye(2) // [[1, 0], [0, 1]] */
export function eye<D extends DType = 'float32'>(n: number, options: CreateOptions<D> & { readonly columns?: number } = {}): Tensor<D> {
  const { columns = n, ...rest } = options
  return finish(native.eye(count('eye: n', n), count('eye: columns', columns), dtypeIn('eye', rest)), rest)
}

/** Which diagonal bounds a triangle: 0 the main one, above it positive, below it negative. */
export interface TriangleOptions {
  /** @default 0 */
  readonly offset?: number
}

function triangle(what: string, rows: number, columns: number, options: TriangleOptions, upper: boolean): Tensor<'int64'> {
  checkOptions(what, options, ['offset'])
  return wrapHandle(native.triangle(count(`${what}: rows`, rows), count(`${what}: columns`, columns), options.offset ?? 0, upper))
}

/** Rows and columns of the elements on and below a diagonal. @example trilIndices(2, 2) // [[0, 1, 1], [0, 0, 1]] */
export function trilIndices(rows: number, columns: number, options: TriangleOptions = {}): Tensor<'int64'> {
  return triangle('trilIndices', rows, columns, options, false)
}

/** Rows and columns of the elements on and above a diagonal. @example triuIndices(2, 2) // [[0, 0, 1], [0, 1, 1]] */
export function triuIndices(rows: number, columns: number, options: TriangleOptions = {}): Tensor<'int64'> {
  return triangle('triuIndices', rows, columns, options, true)
}
