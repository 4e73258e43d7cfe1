import { globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  centerCrop,
  DataLoader,
  type Dataset,
  fromArray,
  fromModule,
  mapped,
  mappedEntry,
  pipeline,
  type Stage,
  subset,
} from '../../ts/data/index.ts'
import { type Tensor, tensor } from '../../ts/tensor/index.ts'
import { folder } from '../graph/toys.ts'
import type noisy from './noisyData.ts'

/** A dataset that counts how often it is read, and a pipeline whose second stage is random and changes its sample in place. */
function counted(
  cache: { folder: string; version?: number } | undefined,
  double: Stage<{ n: number }, { n: number; list: number[]; x: Tensor }> = twice,
) {
  const reads: number[] = []
  const dataset: Dataset<{ n: number }> = { length: 4, get: (n) => (reads.push(n), { n }) }
  const stages = pipeline(double, (sample, { random }) => {
    sample.list.push(random.below(1000))
    return { ...sample, list: Float32Array.from(sample.list) }
  })
  const loader = new DataLoader({ dataset, batchSize: 2, shuffle: true, pipeline: stages, ...(cache === undefined ? {} : { cache }) })
  const epoch = () => Array.from(loader, (batch) => [batch.n, batch.list, batch.x].map((each) => each.toArraySync()))
  return { reads, epoch }
}

const twice = ({ n }: { n: number }) => ({ n: 2 * n, list: [n], x: tensor([n, -0]) })
const files = (path: string): string[] => globSync('**/*.sample', { cwd: path }).map((name) => join(path, name))

/** What `console.warn` was given meanwhile. */
function warnings(run: () => void): string[] {
  const [seen, warn]: [string[], typeof console.warn] = [[], console.warn]
  console.warn = (text) => seen.push(String(text))
  try {
    run()
  } finally {
    console.warn = warn
  }
  return seen
}

test('samples are read once, what is random stays random, and the data is the same', (t) => {
  const [path, plain] = [folder(t), counted(undefined)]
  const cached = counted({ folder: path })
  const expected = [plain.epoch(), plain.epoch(), plain.epoch()]
  t.deepEqual([cached.epoch(), cached.epoch(), cached.epoch()], expected)
  t.is(files(path).length, 4)
  const again = counted({ folder: path })
  t.deepEqual([again.epoch(), again.epoch(), again.epoch()], expected)
  t.deepEqual(again.reads, [])
  // One more for the first sample: that its second stage is random shows when it has run.
  t.true(cached.reads.length <= 5)
})

test('another version, or another stage before the random one, makes the entries anew', (t) => {
  const path = folder(t)
  counted({ folder: path }).epoch()
  for (const other of [
    counted({ folder: path, version: 2 }),
    counted({ folder: path, version: 2 }, ({ n }) => ({ n: 3 * n, list: [n], x: tensor([n, 1]) })),
  ]) {
    t.deepEqual(
      warnings(() => other.epoch()),
      [],
    )
    t.true(other.reads.length >= 4)
    other.reads.length = 0
    other.epoch()
    t.deepEqual(other.reads, [])
  }
})

for (const [what, damage] of [
  ['a flipped bit', (bytes) => bytes.with(bytes.length - 9, (bytes.at(-9) ?? 0) ^ 4)],
  ['a torn end', (bytes) => bytes.subarray(0, bytes.length - 5)],
  ['an empty file', () => new Uint8Array(0)],
  ['another file', () => new TextEncoder().encode('this is no cached sample at all')],
] satisfies [string, (bytes: Uint8Array) => Uint8Array][]) {
  test.serial(`${what}: the entry is made again, with a warning`, (t) => {
    const path = folder(t)
    const expected = counted({ folder: path }).epoch()
    const [file = ''] = files(path)
    writeFileSync(file, damage(readFileSync(file)))
    const other = counted({ folder: path })
    let seen: unknown
    const said = warnings(() => (seen = other.epoch()))
    t.deepEqual(seen, expected)
    t.is(said.length, 1)
    t.regex(said[0] ?? '', /\.sample' is damaged and is made anew/)
    t.true(other.reads.length >= 1)
    t.deepEqual(
      warnings(() => void other.epoch()),
      [],
    )
  })
}

test('stages of firn are told apart by their arguments', (t) => {
  const path = folder(t)
  const image = { width: 3, height: 1, channels: 1, data: Uint8Array.of(1, 2, 3) }
  const cropped = (size: number) => {
    const dataset = mappedEntry(fromArray([{ image }]), 'image', centerCrop([1, size]), ({ data }) => data)
    return Array.from(new DataLoader({ dataset, cache: { folder: path } }), (batch) => batch.image.toArraySync())
  }
  t.deepEqual([cropped(1), cropped(3), cropped(1)], [[[[2]]], [[[1, 2, 3]]], [[[2]]]])
})

test('workers share a folder', async (t) => {
  const path = folder(t)
  const dataset = await fromModule<typeof noisy>(new URL('noisyData.ts', import.meta.url), { count: 9 })
  const epoch = async (workers: number, cache?: { folder: string }): Promise<unknown[]> => {
    const loader = new DataLoader({ dataset, batchSize: 2, workers, ...(cache && { cache }) })
    const seen: unknown[] = []
    for await (const { image, i } of loader) seen.push([image.toArraySync(), i.toArraySync()])
    await loader.close()
    return seen
  }
  const expected = await epoch(0)
  t.deepEqual(await epoch(2, { folder: path }), expected)
  t.is(files(path).length, 9)
  t.deepEqual(await epoch(2, { folder: path }), expected)
  t.deepEqual(await epoch(0, { folder: path }), expected)
  t.deepEqual(globSync('**/*.tmp', { cwd: path }), [])
})

const refused = (t: ExecutionContext, run: () => unknown, code: string, message: RegExp): void => {
  t.throws(run, { code, message })
}

test('what cannot be kept, and options that are none, are refused', (t) => {
  const path = folder(t)
  const dataset: Dataset<number> = { length: 2, get: (i) => i }
  const cache = { folder: path }
  refused(
    t,
    () => [...new DataLoader({ dataset, cache, pipeline: () => () => 1, collate: () => 1 })],
    'argument',
    /sample 0: expected plain data/,
  )
  const random = subset(
    mapped(dataset, (_, { random: draw }) => draw.uniform()),
    [0],
  )
  refused(t, () => [...new DataLoader({ dataset: random, cache })], 'argument', /sample 0: cache: .* random themselves/)
  // @ts-expect-error unknown option
  refused(t, () => new DataLoader({ dataset, cache: { folder: path, size: 1 } }), 'argument', /cache: unknown option 'size'/)
  refused(t, () => new DataLoader({ dataset, cache: { folder: '' } }), 'argument', /cache\.folder ""/)
  const file = join(path, 'file')
  writeFileSync(file, '')
  refused(t, () => [...new DataLoader({ dataset, cache: { folder: file } })], 'io', /cache: cannot write/)
  t.true(statSync(file).isFile())
  rmSync(file)
})
