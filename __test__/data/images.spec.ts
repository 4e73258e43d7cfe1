import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { encode } from 'fast-png'
import jpeg from 'jpeg-js'
import {
  centerCrop,
  DataLoader,
  type Dataset,
  fromArray,
  fromModule,
  type Image,
  mapped,
  mappedEntry,
  normalize,
  randomCrop,
  randomFlip,
  resize,
  toTensor,
} from '../../ts/data/index.ts'
import { imageFolder } from '../../ts/datasets/index.ts'
import { ones } from '../../ts/tensor/index.ts'
import { folder } from '../graph/toys.ts'
import type * as data from './noisyData.ts'

/** An image whose pixels are numbered from 1. */
const counting = (height: number, width: number, channels = 1): Image => ({
  width,
  height,
  channels,
  data: Uint8Array.from({ length: width * height * channels }, (_, i) => i + 1),
})
const repeated = (image: Image, times: number): Dataset<Image> => fromArray(Array.from({ length: times }, () => image))
const pixels = (dataset: Dataset<Image>): string[] => Array.from({ length: dataset.length }, (_, i) => dataset.get(i).data.join(' '))

test('crops at random are parts of the image, every part about equally often', (t) => {
  const seen = pixels(mapped(repeated(counting(3, 3), 800), randomCrop(2)))
  const parts = ['1 2 4 5', '2 3 5 6', '4 5 7 8', '5 6 8 9']
  const counts = parts.map((part) => seen.filter((each) => each === part).length)
  t.is(
    counts.reduce((sum, n) => sum + n, 0),
    800,
  )
  t.true(
    counts.every((n) => Math.abs(n - 200) < 60),
    String(counts),
  )
})

test('padding comes before a crop', (t) => {
  const seen = new Set(pixels(mapped(repeated(counting(1, 2), 200), randomCrop([1, 2], { padding: 1, fill: 9 }))))
  t.deepEqual([...seen].toSorted(), ['1 2', '2 9', '9 1', '9 9'])
})

test('the middle, as torchvision rounds it; colours stay together', (t) => {
  t.deepEqual(pixels(mapped(repeated(counting(4, 5), 1), centerCrop([2, 3]))), ['7 8 9 12 13 14'])
  // Spare 3: round(1.5) is 2. Spare 1: round(0.5) is 0.
  t.deepEqual(pixels(mapped(repeated(counting(1, 4), 1), centerCrop(1))), ['3'])
  t.deepEqual(pixels(mapped(repeated(counting(1, 2), 1), centerCrop(1))), ['1'])
  t.deepEqual(pixels(mapped(repeated(counting(1, 3, 3), 1), centerCrop(1))), ['4 5 6'])
})

test('flips', (t) => {
  t.deepEqual(pixels(mapped(repeated(counting(2, 2, 2), 1), randomFlip({ p: 1 }))), ['3 4 1 2 7 8 5 6'])
  t.deepEqual(pixels(mapped(repeated(counting(2, 2, 2), 1), randomFlip({ p: 1, vertical: true }))), ['5 6 7 8 1 2 3 4'])
  const turned = pixels(mapped(repeated(counting(1, 2), 1000), randomFlip())).filter((each) => each === '2 1').length
  t.true(Math.abs(turned - 500) < 60, String(turned))
})

test('tensors: channels first, in 0..1; normalized by (x - mean) / std; scaled', (t) => {
  const image = { width: 2, height: 1, channels: 3, data: Uint8Array.of(0, 51, 102, 153, 204, 255) }
  const [x] = [mapped(fromArray([image]), toTensor()).get(0)]
  t.deepEqual([x.shape, Array.from(x.dataSync())], [[3, 1, 2], Array.from(Float32Array.of(0, 0.6, 0.2, 0.8, 0.4, 1))])
  const y = mapped(fromArray([x]), normalize([0, 0.2, 1], [1, 2, 0.5])).get(0)
  const expected = [0, 0.6, 0, 0.3, -1.2, 0]
  t.true(Array.from(y.dataSync()).every((value, i) => Math.abs(value - (expected[i] ?? 0)) < 1e-6))
  t.deepEqual(mapped(fromArray([x]), resize([4, 6])).get(0).shape, [3, 4, 6])
  t.is(
    mapped(fromArray([x]), resize(1))
      .get(0)
      .sum()
      .itemSync()
      .toFixed(4),
    '1.5000',
  )
})

test('stages of one entry leave the others', (t) => {
  const record = { image: counting(2, 2), label: 3n }
  const dataset = mappedEntry(fromArray([record]), 'image', randomCrop(2), toTensor(), (x) => x.mul(255))
  const { image, label } = dataset.get(0)
  t.deepEqual(image.toArraySync(), [
    [
      [1, 2],
      [3, 4],
    ],
  ])
  t.is(label, 3n)
})

test('what does not fit is refused', (t) => {
  t.throws(() => mapped(repeated(counting(2, 2), 1), randomCrop(3)).get(0), { code: 'shape', message: /2 x 2 has no part of 3 x 3/ })
  t.throws(() => centerCrop(0), { code: 'argument', message: /size 0/ })
  t.throws(() => normalize([1], [1, 2]), { code: 'argument', message: /1 means/ })
  t.throws(() => normalize([1], [0]), { code: 'argument' })
  t.throws(() => mapped(fromArray([ones([3, 1, 1])]), normalize([1], [1])).get(0), {
    code: 'shape',
    message: /1 means for an image of shape \[3, 1, 1\]/,
  })
  // @ts-expect-error unknown option
  t.throws(() => randomFlip({ prob: 1 }), { code: 'argument', message: /unknown option 'prob'/ })
})

function images(t: ExecutionContext): string {
  const path = folder(t)
  for (const name of ['dog', 'cat/old']) mkdirSync(join(path, name), { recursive: true })
  writeFileSync(join(path, 'dog', 'b.png'), encode({ width: 2, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) }))
  writeFileSync(
    join(path, 'dog', 'a.PNG'),
    encode({ width: 3, height: 2, channels: 1, depth: 1, data: Uint8Array.of(0b10100000, 0b01000000) }),
  )
  writeFileSync(join(path, 'dog', 'notes.txt'), 'no image')
  writeFileSync(join(path, 'cat', 'old', '1.jpg'), jpeg.encode({ width: 8, height: 8, data: Buffer.alloc(256, 100) }, 95).data)
  writeFileSync(
    join(path, 'cat', '2.png'),
    encode({ width: 1, height: 1, channels: 4, depth: 16, data: Uint16Array.of(256, 512, 65535, 0) }),
  )
  return path
}

test('a folder of images: classes and files by name, decoded to one number of channels', async (t) => {
  const pets = await imageFolder(images(t))
  t.deepEqual(pets.classes, ['cat', 'dog'])
  t.deepEqual(
    pets.files.map((file) => file.split(/[\\/]/).slice(-2).join('/')),
    ['cat/2.png', 'old/1.jpg', 'dog/a.PNG', 'dog/b.png'],
  )
  const [deep, grey, bits, colours] = [0, 1, 2, 3].map((i) => pets.get(i))
  t.deepEqual([deep?.image.data, deep?.label], [Uint8Array.of(1, 2, 255), 0n])
  t.true(grey?.image.data.every((value) => Math.abs(value - 100) <= 2))
  t.deepEqual([grey?.image.width, grey?.image.channels], [8, 3])
  t.is(bits?.image.data.filter((_, i) => i % 3 === 0).join(' '), '255 0 255 0 255 0')
  t.deepEqual([colours?.image.data, colours?.label], [Uint8Array.of(1, 2, 3, 4, 5, 6), 1n])
})

test('grey as Pillow has it', async (t) => {
  const path = folder(t)
  mkdirSync(join(path, 'c'))
  writeFileSync(
    join(path, 'c', '1.png'),
    encode({ width: 3, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 10, 20, 30) }),
  )
  t.deepEqual((await imageFolder(path, { channels: 1 })).get(0).image.data, Uint8Array.of(76, 150, 18))
})

test('workers decode them', async (t) => {
  const dataset = await fromModule<typeof data.pets>(new URL('noisyData.ts', import.meta.url), { folder: images(t) }, { name: 'pets' })
  const read = async (workers: number) => {
    const loader = new DataLoader({ dataset, batchSize: 2, shuffle: true, workers })
    const seen: unknown[] = []
    for await (const { image, label } of loader) seen.push(image.toArraySync(), label.toArraySync())
    await loader.close()
    return seen
  }
  t.deepEqual(await read(2), await read(0))
})

test('damaged files and folders are refused, with their path', async (t) => {
  const path = images(t)
  await t.throwsAsync(imageFolder(join(path, 'none')), { code: 'io', message: /cannot read '.*none'/ })
  await t.throwsAsync(imageFolder(join(path, 'dog')), { code: 'io', message: /dog' has no sub-folders/ })
  mkdirSync(join(path, 'empty'))
  await t.throwsAsync(imageFolder(path), { code: 'io', message: /empty' has no \.png/ })
  writeFileSync(join(path, 'empty', 'x.png'), 'text')
  const pets = await imageFolder(path, { maxPixels: 5 })
  t.throws(() => pets.get(4), { code: 'io', message: /x\.png' is neither a PNG nor a JPEG/ })
  t.throws(() => pets.get(2), { code: 'io', message: /a\.PNG' cannot be decoded: 3 x 2 pixels, and maxPixels is 5/ })
  t.throws(() => pets.get(1), { code: 'io', message: /1\.jpg' cannot be decoded: .*maxResolutionInMP/ })
})

test('a small PNG that unpacks to far more than its size is refused', async (t) => {
  const path = folder(t)
  mkdirSync(join(path, 'c'))
  const bomb = encode({ width: 20_000, height: 10_000, channels: 1, data: new Uint8Array(2e8) })
  t.true(bomb.length < 2e6)
  for (const at of [16, 20]) new DataView(bomb.buffer, bomb.byteOffset).setUint32(at, 2)
  writeFileSync(join(path, 'c', 'bomb.png'), bomb)
  const dataset = await imageFolder(path)
  t.throws(() => dataset.get(0), { code: 'io', message: /bomb\.png' cannot be decoded/ })
})
