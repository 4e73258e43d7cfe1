// IDX files: a big-endian header of type and sizes, then elements in a row, big-endian too.
import { readFileSync } from 'node:fs'
import { constants, gunzipSync } from 'node:zlib'
import { FirnError } from '../errors.ts'

/** The elements of an IDX file. */
export type Idx =
  | { readonly dtype: 'uint8'; readonly shape: readonly number[]; readonly data: Uint8Array }
  | { readonly dtype: 'int8'; readonly shape: readonly number[]; readonly data: Int8Array }
  | { readonly dtype: 'int16'; readonly shape: readonly number[]; readonly data: Int16Array }
  | { readonly dtype: 'int32'; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'float64'; readonly shape: readonly number[]; readonly data: Float64Array }

/** Sizes of one element by the third byte of the file. */
const elementSizes: Readonly<Record<number, number>> = { 0x08: 1, 0x09: 1, 0x0b: 2, 0x0c: 4, 0x0d: 4, 0x0e: 8 }

const maxDimensions = 255
const longestHeader = 4 * (maxDimensions + 1)

/**
 * Reads an IDX file, plain or as `.gz`: the format of MNIST. The first size is the number of samples. Fails with code `'io'` on a file that
 * is missing or damaged; no more is unpacked than the header says.
 *
 * @example
 * const { writeFileSync } = await import('node:fs')
 * writeFileSync('labels-idx1-ubyte', Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1))
 * const labels = readIdx('labels-idx1-ubyte')
 * labels.shape // [3]
 * labels.data  // [7, 2, 1]
 */
export function readIdx(path: string): Idx {
  const damaged = (why: string): FirnError => new FirnError('io', `readIdx: '${path}' is damaged: ${why}`)
  let file: Buffer
  try {
    file = readFileSync(path)
  } catch (cause) {
    throw new FirnError('io', `readIdx: cannot read '${path}': ${messageOf(cause)}`, { cause })
  }
  if (!(file[0] === 0x1f && file[1] === 0x8b)) return parse(file, damaged)
  try {
    const { end, size } = headerOf(unpackStart(file), damaged)
    return parse(gunzipSync(file, { maxOutputLength: Math.max(1, end + size) }), damaged)
  } catch (cause) {
    throw cause instanceof FirnError ? cause : damaged(`it cannot be unpacked to what its header says: ${messageOf(cause)}`)
  }
}

// As much of the beginning as holds any header.
function unpackStart(file: Buffer): Buffer {
  return gunzipSync(file.subarray(0, 2 * longestHeader), { finishFlush: constants.Z_SYNC_FLUSH })
}

function headerOf(bytes: Buffer, damaged: (why: string) => FirnError) {
  const [zero, also, type = -1, dimensions = 0] = bytes
  const element = elementSizes[type]
  if (bytes.length < 4 || zero !== 0 || also !== 0 || element === undefined)
    throw damaged('it does not begin with two zeros and a type of elements (0x08, 0x09, 0x0b to 0x0e)')
  const end = 4 * (dimensions + 1)
  if (bytes.length < end) throw damaged(`its header of ${dimensions} sizes is cut off`)
  const shape = Array.from({ length: dimensions }, (_, i) => bytes.readUInt32BE(4 * (i + 1)))
  const size = shape.reduce((product, n) => product * n, element)
  return { type, end, shape, element, size }
}

function parse(bytes: Buffer, damaged: (why: string) => FirnError): Idx {
  const { type, end, shape, element, size } = headerOf(bytes, damaged)
  if (bytes.length !== end + size) throw damaged(`its header says ${end + size} bytes, it has ${bytes.length}`)
  const { buffer } = littleEndian(bytes.subarray(end), element)
  if (type === 0x08) return { dtype: 'uint8', shape, data: new Uint8Array(buffer) }
  if (type === 0x09) return { dtype: 'int8', shape, data: new Int8Array(buffer) }
  if (type === 0x0b) return { dtype: 'int16', shape, data: new Int16Array(buffer) }
  if (type === 0x0c) return { dtype: 'int32', shape, data: new Int32Array(buffer) }
  if (type === 0x0d) return { dtype: 'float32', shape, data: new Float32Array(buffer) }
  return { dtype: 'float64', shape, data: new Float64Array(buffer) }
}

/** A copy in the byte order of typed arrays. */
function littleEndian(bytes: Buffer, element: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes)
  const view = Buffer.from(copy.buffer)
  if (element === 2) view.swap16()
  else if (element === 4) view.swap32()
  else if (element === 8) view.swap64()
  return copy
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
