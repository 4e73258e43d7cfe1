// The IDX files of MNIST: a big-endian header of a magic number and sizes, then bytes.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { FirnError } from '../errors.ts'
import type { Digits } from './packaged.ts'

const names = { train: 'train', test: 't10k' } as const

// The last byte of the magic number is the number of dimensions; 8 before it means bytes.
const magic = (dimensions: number): number => 0x0800 + dimensions

/** The digits of a split from a folder of IDX files, plain or as `.gz`. */
export function readIdx(folder: string, split: 'train' | 'test'): Digits {
  const images = readBytes(folder, `${names[split]}-images-idx3-ubyte`)
  const labels = readBytes(folder, `${names[split]}-labels-idx1-ubyte`)
  const [count = 0, rows = 0, columns = 0] = sizesOf(images, 3)
  const [labelCount = 0] = sizesOf(labels, 1)
  if (rows !== 28 || columns !== 28) throw damaged(images, `it holds images of ${rows} x ${columns}, expected 28 x 28`)
  if (labelCount !== count) throw damaged(labels, `it holds ${labelCount} labels for ${count} images`)
  return { pixels: images.bytes.subarray(16), labels: labels.bytes.subarray(8) }
}

interface File {
  readonly path: string
  readonly bytes: Buffer
}

function readBytes(folder: string, name: string): File {
  const path = [join(folder, name), join(folder, `${name}.gz`)].find((each) => existsSync(each))
  if (path === undefined) throw new FirnError('io', `mnist: neither '${name}' nor '${name}.gz' is in '${folder}'`)
  try {
    const bytes = readFileSync(path)
    return { path, bytes: path.endsWith('.gz') ? gunzipSync(bytes) : bytes }
  } catch (cause) {
    throw new FirnError('io', `mnist: cannot read '${path}'`, { cause })
  }
}

// The sizes in the header, when the rest of the file is as long as they say.
function sizesOf(file: File, dimensions: number): readonly number[] {
  const { bytes } = file
  const header = 4 * (dimensions + 1)
  if (bytes.length < header || bytes.readUInt32BE(0) !== magic(dimensions)) {
    throw damaged(file, `it does not begin with the magic number 0x${magic(dimensions).toString(16).padStart(8, '0')}`)
  }
  const sizes = Array.from({ length: dimensions }, (_, i) => bytes.readUInt32BE(4 * (i + 1)))
  const expected = header + sizes.reduce((product, size) => product * size, 1)
  if (bytes.length !== expected) throw damaged(file, `its header says ${expected} bytes, it has ${bytes.length}`)
  return sizes
}

const damaged = ({ path }: File, why: string): FirnError => new FirnError('io', `mnist: '${path}' is damaged: ${why}`)
