import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { mnist } from '../../ts/datasets/index.ts'
import { folder } from '../graph/toys.ts'

test('the package: 8,000 digits and 2,000 held out, every digit in the same proportion', (t) => {
  const [train, held] = [mnist({ split: 'train' }), mnist({ split: 'test' })]
  t.deepEqual([train.length, held.length], [8000, 2000])
  const count = (labels: BigInt64Array): number[] =>
    Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === BigInt(digit)).length)
  const [trained, tested] = [count(train.fields.label.data), count(held.fields.label.data)]
  for (const [digit, n] of tested.entries()) t.true(Math.abs(n - ((trained[digit] ?? 0) + n) / 5) < 1, `${digit}: ${n}`)
})

test('the package: images in 0..1, labels int64, always the same split', (t) => {
  const data = mnist({ split: 'test' })
  const { image, label } = data.batch([0, 1, 1999])
  t.deepEqual([image.shape, image.dtype], [[3, 1, 28, 28], 'float32'])
  t.deepEqual([label.dtype, ...label.dataSync()], ['int64', 0n, 0n, 9n])
  const pixels = image.dataSync()
  t.true(pixels.every((pixel) => pixel >= 0 && pixel <= 1) && pixels.includes(1))
  t.deepEqual(mnist({ split: 'test' }).fields, data.fields)
})

/** An IDX file of bytes. */
const idx = (sizes: number[], bytes: number[]): Buffer => {
  const header = Buffer.alloc(4 + 4 * sizes.length)
  header.writeUInt32BE(0x0800 + sizes.length)
  for (const [i, size] of sizes.entries()) header.writeUInt32BE(size, 4 + 4 * i)
  return Buffer.concat([header, Buffer.from(bytes)])
}

const pixels = Array.from({ length: 2 * 784 }, (_, i) => i % 256)

function idxFolder(t: ExecutionContext, files: Record<string, Buffer>): string {
  const path = folder(t)
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes)
  return path
}

test('a folder of IDX files, plain or gzipped', (t) => {
  const path = idxFolder(t, {
    'train-images-idx3-ubyte': idx([2, 28, 28], pixels),
    'train-labels-idx1-ubyte.gz': gzipSync(idx([2], [3, 9])),
    't10k-images-idx3-ubyte.gz': gzipSync(idx([2, 28, 28], pixels)),
    't10k-labels-idx1-ubyte': idx([2], [1, 2]),
  })
  const train = mnist({ split: 'train', folder: path })
  t.deepEqual([...train.fields.label.data], [3n, 9n])
  t.is(train.get(0).image.slice(0, 9, 3).itemSync(), Math.fround(255 / 255))
  t.deepEqual([...mnist({ split: 'test', folder: path }).fields.label.data], [1n, 2n])
})

const images = idx([2, 28, 28], pixels)
const labels = idx([2], [3, 9])
for (const [what, imageFile, labelFile, message] of [
  [
    'no magic number',
    Buffer.from('hello world, this is no idx'),
    labels,
    /images.* is damaged: it does not begin with two zeros and a type/,
  ],
  ['labels for images', labels, labels, /images.* is not of MNIST: it holds 1 dimensions, expected 3/],
  ['a short file', images.subarray(0, 100), labels, /its header says 1584 bytes, it has 100/],
  ['other sizes', idx([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]), labels, /images of 2 x 2, expected 28 x 28/],
  ['too few labels', images, idx([1], [3]), /1 labels for 2 images/],
] as const) {
  test(`${what}: an error that names the file`, (t) => {
    const path = idxFolder(t, { 'train-images-idx3-ubyte': imageFile, 'train-labels-idx1-ubyte': labelFile })
    t.throws(() => mnist({ split: 'train', folder: path }), { code: 'io', message })
  })
}

test('missing files and wrong options', (t) => {
  t.throws(() => mnist({ split: 'train', folder: folder(t) }), {
    code: 'io',
    message: /neither 'train-images-idx3-ubyte' nor '.*\.gz' is in/,
  })
  // @ts-expect-error no such split
  t.throws(() => mnist({ split: 'valid' }), { code: 'argument', message: /expected 'train' or 'test'/ })
  // @ts-expect-error unknown option
  t.throws(() => mnist({ split: 'train', dir: '.' }), { code: 'argument', message: /unknown option 'dir'/ })
})
