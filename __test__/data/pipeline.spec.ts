import test from 'ava'
import { DataLoader, type Dataset, pipeline } from '../../ts/data/index.ts'
import { memory, ones, type Tensor } from '../../ts/tensor/index.ts'

const squares: Dataset<{ n: number; name: string }> = { length: 4, get: (n) => ({ n: n * n, name: `sample ${n}` }) }
const values = (batch: Tensor) => Array.from(batch.dataSync())

test('stages follow one another, each on what the one before it gave', (t) => {
  const stages = pipeline(
    ({ n }: { n: number }) => n + 1,
    (n, { index }) => ({ n, index }),
    ({ n, index }) => [n, index] as const,
  )
  const batches = Array.from(new DataLoader({ dataset: squares, batchSize: 2, pipeline: stages }), ([n, index]) => [
    values(n),
    values(index),
  ])
  t.deepEqual(batches, [
    [
      [1, 2],
      [0, 1],
    ],
    [
      [5, 10],
      [2, 3],
    ],
  ])
})

test('what is random depends on seed, epoch and sample, and on nothing else', (t) => {
  const make = (seed: number, batchSize: number, shuffle = false) =>
    new DataLoader({ dataset: squares, batchSize, seed, shuffle, pipeline: (_, { index, random }) => ({ index, u: random.uniform() }) })
  const draws = (loader: ReturnType<typeof make>) => {
    const found = Array.from(loader, ({ index, u }) => values(index).map((i, at) => [i, values(u)[at] ?? 0] as const))
    return new Map(found.flat())
  }
  const [one, two, mixed, other] = [make(5, 1), make(5, 3), make(5, 2, true), make(6, 1)]
  const first = draws(one)
  const byIndex = (map: Map<number, number>) => [...map].toSorted(([a], [b]) => a - b)
  t.is(new Set(first.values()).size, 4)
  t.deepEqual(byIndex(draws(two)), byIndex(first))
  t.deepEqual(byIndex(draws(mixed)), byIndex(first))
  t.notDeepEqual(draws(other), first)
  t.notDeepEqual(draws(one), first, 'the next epoch')
})

test('the draws of a sample: ranges, chances, a normal distribution, tensors', (t) => {
  const loader = new DataLoader({
    dataset: { length: 4000, get: (i) => i },
    batchSize: 4000,
    pipeline: (_, { random }) => ({
      below: random.below(5),
      often: random.chance(0.9),
      normal: random.normal(),
      high: random.uniform(2, 3),
    }),
  })
  for (const { below, often, normal, high } of loader) {
    const counts = [0, 1, 2, 3, 4].map((n) => values(below).filter((each) => each === n).length)
    t.true(
      counts.every((count) => Math.abs(count - 800) < 130),
      String(counts),
    )
    t.true(Math.abs(often.float().mean().itemSync() - 0.9) < 0.03)
    t.true(Math.abs(normal.mean().itemSync()) < 0.08 && Math.abs(normal.std().itemSync() - 1) < 0.06)
    t.true(values(high).every((u) => u >= 2 && u <= 3))
  }
})

test('what goes wrong names the sample, with the error as cause', (t) => {
  const cause = new RangeError('no such pixel')
  const loader = new DataLoader({
    dataset: squares,
    batchSize: 2,
    pipeline: ({ n }) => {
      if (n === 4) throw cause
      return n
    },
  })
  const error = t.throws(() => [...loader], { code: 'argument', message: 'sample 2: no such pixel' })
  t.is(error?.cause, cause)
})

test('a promise is refused', (t) => {
  const loader = new DataLoader({ dataset: squares, pipeline: async ({ n }) => n })
  t.throws(() => loader.at(0, 1), { code: 'argument', message: /sample 1: .*synchronous, and one returned a promise/ })
})

test('what is no function is refused', (t) => {
  // @ts-expect-error a number
  t.throws(() => pipeline((n: number) => n, 3), { code: 'argument', message: /stage 1: expected a function and got number/ })
  // @ts-expect-error a list
  t.throws(() => new DataLoader({ dataset: squares, pipeline: [(n: number) => n] }), {
    code: 'argument',
    message: /got a list; write pipeline\(a, b, c\)/,
  })
})

test('what samples were made of is freed', (t) => {
  const loader = new DataLoader({ dataset: squares, batchSize: 2, pipeline: ({ n }) => ones([2]).mul(n).add(1) })
  const before = memory().handles
  for (const batch of loader) {
    t.deepEqual(batch.shape, [2, 2])
    t.is(memory().handles, before + 1)
  }
  t.is(memory().handles, before)
})
