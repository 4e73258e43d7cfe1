// Plain data with tensors and typed arrays as JSON and bytes: how samples and batches go to other threads and into files.
import { FirnError } from '../errors.ts'
import { bytesOf, type DType, Tensor } from '../tensor/index.ts'
import { fromElements, isDType, Rows, rowsOf } from './rows.ts'
import { isRecord } from './tensorsIn.ts'

/** JSON in which `{ $: kind, ... }` stands for what JSON has no word for. */
export type Tree = null | boolean | number | string | readonly Tree[] | { readonly [key: string]: Tree }

/** Data ready to be written. */
export interface Packed {
  readonly tree: Tree
  /** What `write` writes. */
  readonly byteLength: number
  write(target: Uint8Array): void
}

/** The arrays that may be in a sample as they are, by name. */
const arrays = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const

type ArrayName = keyof typeof arrays

const isArrayName = (name: unknown): name is ArrayName => typeof name === 'string' && Object.hasOwn(arrays, name)

// Elements begin at multiples of this, so that every typed array can look at them.
const alignment = 8
const aligned = (size: number): number => Math.ceil(size / alignment) * alignment

/** Beyond this depth data is refused, and so is what contains itself. */
const maxDepth = 64

/** Parts data into JSON and bytes. Fails with code `'argument'` on what is neither plain data nor a tensor nor a typed array. */
export function pack(data: unknown): Packed {
  const writers: ((target: Uint8Array) => void)[] = []
  let byteLength = 0
  const place = (size: number, write: (target: Uint8Array) => void): number => {
    const at = byteLength
    byteLength += aligned(size)
    writers.push((target) => write(target.subarray(at, at + size)))
    return at
  }
  const strip = (value: unknown, depth: number): Tree => {
    if (depth > maxDepth) throw new FirnError('argument', `data is nested deeper than ${maxDepth} levels, or contains itself`)
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
    if (typeof value === 'number')
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: 'number', value: numberWord(value) }
    if (typeof value === 'bigint') return { $: 'bigint', value: String(value) }
    if (value === undefined) return { $: 'undefined' }
    if (value instanceof Tensor || value instanceof Rows) {
      const rows = value instanceof Rows ? value : rowsOf(value)
      return { $: 'tensor', dtype: rows.dtype, shape: rows.shape, at: place(rows.byteLength, (target) => rows.write(target)) }
    }
    if (ArrayBuffer.isView(value)) return stripArray(value, place)
    if (Array.isArray(value)) return value.map((item) => strip(item, depth + 1))
    if (!isRecord(value)) throw new FirnError('argument', `expected plain data, tensors and typed arrays, got ${nameOf(value)}`)
    const entries = Object.entries(value).map(([key, item]: [string, unknown]): [string, Tree] => [key, strip(item, depth + 1)])
    return '$' in value ? { $: 'record', entries } : Object.fromEntries(entries)
  }
  const tree = strip(data, 0)
  return { tree, byteLength, write: (target) => writers.forEach((write) => write(target)) }
}

function stripArray(view: ArrayBufferView, place: (size: number, write: (target: Uint8Array) => void) => number): Tree {
  const found = Object.entries(arrays).find(([, type]) => view instanceof type)
  if (found === undefined) throw new FirnError('argument', `expected plain data, tensors and typed arrays, got ${nameOf(view)}`)
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return { $: found[0], size: view.byteLength, at: place(view.byteLength, (target) => target.set(bytes)) }
}

/** Joins what `pack` parted; tensors and arrays are copies. Fails with code `'io'` when the two do not fit. */
export function unpack(tree: Tree, bytes: Uint8Array, depth = 0): unknown {
  if (typeof tree !== 'object' || tree === null) return tree
  if (depth > maxDepth) throw damaged(`nested deeper than ${maxDepth} levels`)
  if (isList(tree)) return tree.map((item) => unpack(item, bytes, depth + 1))
  const { $: kind } = tree
  if (kind === undefined) return record(Object.entries(tree), bytes, depth)
  if (kind === 'number') return numberOf(tree['value'])
  if (kind === 'bigint') return bigintOf(tree['value'])
  if (kind === 'undefined') return undefined
  if (kind === 'record' && isList(tree['entries'])) return record(tree['entries'].map(entryOf), bytes, depth)
  if (kind === 'tensor') return tensorOf(tree, bytes)
  if (isArrayName(kind)) return arrayOf(kind, region(bytes, tree['at'], tree['size'], arrays[kind].BYTES_PER_ELEMENT))
  throw damaged(`'${String(kind)}' is no kind of data`)
}

function tensorOf({ dtype, shape, at }: { readonly [key: string]: Tree }, bytes: Uint8Array): Tensor<DType> {
  if (!isDType(dtype)) throw damaged(`'${String(dtype)}' is no dtype`)
  if (!isList(shape) || shape.length > 16) throw damaged('a tensor has no shape')
  const sizes = shape.map((size) => {
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size
    throw damaged(`a tensor has a size of ${String(size)}`)
  })
  const size = sizes.reduce((product, n) => product * n, bytesOf(dtype))
  const elements = region(bytes, at, size, bytesOf(dtype))
  return fromElements(dtype, sizes, elements.buffer, elements.byteOffset)
}

function region(bytes: Uint8Array, at: Tree | undefined, size: Tree | undefined, element: number): Uint8Array {
  const wrong = (value: unknown): boolean => typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0
  if (typeof at !== 'number' || typeof size !== 'number' || wrong(at) || wrong(size) || at + size > bytes.length || size % element !== 0)
    throw damaged(`elements of ${String(size)} bytes at ${String(at)} of ${bytes.length}`)
  if ((bytes.byteOffset + at) % alignment !== 0) throw damaged(`elements begin at ${at}, expected a multiple of ${alignment}`)
  return bytes.subarray(at, at + size)
}

// Copied, because the bytes may be overwritten, or shared with another thread.
function arrayOf(name: ArrayName, elements: Uint8Array): ArrayBufferView {
  const copy = new Uint8Array(elements.length)
  copy.set(elements)
  return new arrays[name](copy.buffer)
}

const record = (entries: readonly (readonly [string, Tree])[], bytes: Uint8Array, depth: number): object =>
  Object.fromEntries(entries.map(([key, item]) => [key, unpack(item, bytes, depth + 1)]))

function entryOf(entry: Tree): readonly [string, Tree] {
  if (isList(entry) && typeof entry[0] === 'string' && entry[1] !== undefined) return [entry[0], entry[1]]
  throw damaged('a record has an entry without a name')
}

const numberWord = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

function numberOf(word: Tree | undefined): number {
  if (word === 'NaN' || word === 'Infinity' || word === '-Infinity' || word === '-0') return Number(word)
  throw damaged(`'${String(word)}' is no number`)
}

function bigintOf(word: Tree | undefined): bigint {
  if (typeof word === 'string' && /^-?\d{1,400}$/.test(word)) return BigInt(word)
  throw damaged(`'${String(word)}' is no whole number`)
}

const damaged = (why: string): FirnError => new FirnError('io', `packed data is damaged: ${why}`)

const nameOf = (value: object): string => value.constructor?.name ?? 'an object without a type'

// Array.isArray does not narrow readonly arrays.
const isList = (tree: Tree | undefined): tree is readonly Tree[] => Array.isArray(tree)
