// The four IDX files of MNIST, plain or as `.gz`.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { FirnError } from '../errors.ts'
import { type Idx, readIdx } from './idx.ts'
import type { Digits } from './packaged.ts'

const names = { train: 'train', test: 't10k' } as const

/** The digits of a split from a folder of IDX files. */
export function readDigits(folder: string, split: 'train' | 'test'): Digits {
  const images = find(folder, `${names[split]}-images-idx3-ubyte`)
  const labels = find(folder, `${names[split]}-labels-idx1-ubyte`)
  const [count = 0, rows = 0, columns = 0] = sizesOf(images, 3)
  const [labelCount = 0] = sizesOf(labels, 1)
  if (rows !== 28 || columns !== 28) throw damaged(images, `it holds images of ${rows} x ${columns}, expected 28 x 28`)
  if (labelCount !== count) throw damaged(labels, `it holds ${labelCount} labels for ${count} images`)
  return { pixels: bytesOf(images), labels: bytesOf(labels) }
}

interface File {
  readonly path: string
  readonly content: Idx
}

function find(folder: string, name: string): File {
  const path = [join(folder, name), join(folder, `${name}.gz`)].find((each) => existsSync(each))
  if (path === undefined) throw new FirnError('io', `mnist: neither '${name}' nor '${name}.gz' is in '${folder}'`)
  return { path, content: readIdx(path) }
}

function sizesOf(file: File, dimensions: number): readonly number[] {
  const { shape } = file.content
  if (shape.length !== dimensions) throw damaged(file, `it holds ${shape.length} dimensions, expected ${dimensions}`)
  return shape
}

function bytesOf(file: File): Uint8Array {
  const { dtype, data } = file.content
  if (dtype !== 'uint8') throw damaged(file, `it holds elements of ${dtype}, expected uint8`)
  return data
}

const damaged = ({ path }: File, why: string): FirnError => new FirnError('io', `mnist: '${path}' is not of MNIST: ${why}`)
