import test from 'ava'
import { collate, concat, DataLoader, type Dataset, fromArray, fromModule, mapped, padded, subset } from '../../ts/data/index.ts'
import { mnist } from '../../ts/datasets/index.ts'
import { FirnError } from '../../ts/errors.ts'
import { type DType, memory, Tensor } from '../../ts/tensor/index.ts'
import { numbers } from '../graph/toys.ts'
import type * as data from './noisyData.ts'
import type noisy from './noisyData.ts'

const module = new URL('noisyData.ts', import.meta.url)

/** A batch as plain data, to the last bit. */
function plain(batch: unknown): unknown {
  if (batch instanceof Tensor) {
    const { dtype, shape }: Tensor<DType> = batch
    return [dtype, shape, Buffer.from(batch.dataSync().buffer).toString('hex')]
  }
  if (Array.isArray(batch)) return batch.map(plain)
  return typeof batch === 'object' && batch !== null ? Object.entries(batch).map(([key, value]) => [key, plain(value)]) : batch
}

async function epochs(loader: DataLoader<Dataset, unknown, unknown>, count: number): Promise<unknown[]> {
  const seen: unknown[] = []
  for (let epoch = 0; epoch < count; epoch++) for await (const batch of loader) seen.push(plain(batch))
  await loader.close()
  return seen
}

test.serial('batches of workers are bit by bit those of none, in the same order, in every epoch', async (t) => {
  const dataset = await fromModule<typeof noisy>(module, { count: 11 })
  const options = { dataset, batchSize: 2, shuffle: true, seed: 3 }
  const expected = await epochs(new DataLoader(options), 3)
  t.is(expected.length, 18)
  t.is(new Set(expected.map((batch) => JSON.stringify(batch))).size, 18)
  for (const workers of [1, 2, 3]) {
    t.deepEqual(await epochs(new DataLoader({ ...options, workers }), 3), expected, `${workers} workers`)
    t.deepEqual(await epochs(new DataLoader({ ...options, workers, prefetch: 1 }), 3), expected, `${workers} workers, one batch ahead`)
  }
})

test.serial('order does not depend on who is quicker', async (t) => {
  const dataset = await fromModule<typeof data.uneven>(module, { count: 24 }, { name: 'uneven' })
  t.deepEqual(
    await epochs(new DataLoader({ dataset, workers: 3, batchSize: 2 }), 1),
    await epochs(new DataLoader({ dataset, batchSize: 2 }), 1),
  )
})

test.serial('a place is gone to, and batches that were made ahead are not taken for others', async (t) => {
  const dataset = await fromModule<typeof noisy>(module, { count: 9 })
  const options = { dataset, batchSize: 2, shuffle: true }
  const [plainLoader, loader] = [new DataLoader(options), new DataLoader({ ...options, workers: 2 })]
  const expected = await epochs(plainLoader, 3)
  for (const start of [3, 0, 7, 11]) {
    loader.loadStateDict({ epoch: Math.floor(start / 5), position: start % 5, taken: start % 5 })
    const seen: unknown[] = []
    for await (const batch of loader) seen.push(plain(batch))
    t.deepEqual(seen, expected.slice(start, start - (start % 5) + 5))
  }
  await loader.close()
})

test.serial('built-in datasets and what is made of them need no module', async (t) => {
  for (const dataset of [
    numbers(7),
    subset(numbers(9), [8, 1, 2]),
    concat([subset(numbers(3), [1]), numbers(2)]),
    fromArray([
      { n: 1, list: ['a'] },
      { n: 2, list: ['b'] },
    ]),
    subset(mnist({ split: 'test' }), [5, 6, 7]),
  ]) {
    const expected = await epochs(new DataLoader<Dataset, unknown, unknown>({ dataset, batchSize: 2, shuffle: true }), 2)
    t.deepEqual(await epochs(new DataLoader<Dataset, unknown, unknown>({ dataset, batchSize: 2, shuffle: true, workers: 2 }), 2), expected)
  }
})

test("a collate of one's own works here on samples from there; padded works there", async (t) => {
  const dataset = await fromModule<typeof data.ragged>(module, { count: 5 }, { name: 'ragged' })
  const own = { dataset, batchSize: 2, collate: (samples: readonly { ids: Int32Array }[]) => samples.map(({ ids }) => ids.length) }
  t.deepEqual(await epochs(new DataLoader({ ...own, workers: 1 }), 1), [[1, 2], [3, 4], [5]])
  const fill = { dataset, batchSize: 2, collate: padded({ value: 7 }) }
  t.deepEqual(
    await epochs(new DataLoader<Dataset, unknown, unknown>({ ...fill, workers: 2 }), 2),
    await epochs(new DataLoader<Dataset, unknown, unknown>(fill), 2),
  )
})

test.serial('nothing is left over: tensors of batches are freed, those of samples too', async (t) => {
  const dataset = await fromModule<typeof noisy>(module, { count: 8 })
  const loader = new DataLoader({ dataset, batchSize: 2, workers: 1, collate: (samples) => collate(samples) })
  const before = memory().handles
  for await (const { x } of loader) {
    t.deepEqual(x.shape, [2, 2])
    t.is(memory().handles, before + 7)
  }
  t.is(memory().handles, before)
  await loader.close()
})

for (const [by, message, cause] of [
  ['throw', /^worker 1: sample 6: no pixel in 6$/, /RangeError: no pixel in 6[\s\S]*noisyData\.ts/],
  ['function', /^worker 1: .*expected plain data.*got Function|no batch of function/, /FirnError/],
] as const) {
  test.serial(`a sample that fails (${by}) is told with its number and the worker's stack; the batches before it arrive`, async (t) => {
    const dataset = await fromModule<typeof data.failing>(module, { at: 6, by }, { name: 'failing' })
    const loader = new DataLoader<Dataset, unknown, unknown>({ dataset, batchSize: 2, workers: 2 })
    const seen: unknown[] = []
    const error = await t.throwsAsync(
      async () => {
        for await (const batch of loader) seen.push(batch)
      },
      { instanceOf: FirnError, code: 'argument', message },
    )
    t.is(seen.length, 3)
    t.regex(error?.cause instanceof Error ? (error.cause.stack ?? '') : '', cause)
    await loader.close()
  })
}

for (const [by, message] of [
  ['exit', /^worker 0: the worker ended before its batches were made \(exit code 3\)/],
  ['crash', /^worker 0: the worker ended before its batches were made \(out of the blue\)/],
] as const) {
  test.serial(`a worker that ends (${by}) is an error, not a hang; the next loop starts others`, async (t) => {
    const dataset = await fromModule<typeof data.failing>(module, { at: 4, by }, { name: 'failing' })
    const loader = new DataLoader<Dataset, unknown, unknown>({ dataset, batchSize: 2, workers: 2, prefetch: 1 })
    const loop = async (): Promise<void> => {
      for await (const batch of loader) t.truthy(batch)
    }
    await t.throwsAsync(loop, { code: 'io', message })
    loader.loadStateDict({ epoch: 0, position: 3, taken: 3 })
    await t.notThrowsAsync(loop)
    await loader.close()
  })
}

test.serial('a dataset that cannot be made there says why', async (t) => {
  const loader = new DataLoader({ dataset: numbers(4), workers: 1 })
  Object.assign(loader.dataset, { origin: () => ({ module: module.href, name: 'broken', args: undefined }) })
  const other = new DataLoader({ dataset: loader.dataset, workers: 1 })
  await t.throwsAsync(async () => void (await epochs(other, 1)), { code: 'argument', message: 'worker 0: the folder is empty' })
})

test.serial('what does not cross is refused before a worker is started', async (t) => {
  const own: Dataset<number> = { length: 3, get: (i) => i }
  for (const dataset of [own, subset(own, [1]), mapped(numbers(3), ({ x }) => x)])
    t.throws(() => new DataLoader<Dataset, unknown, unknown>({ dataset, workers: 1 }), {
      code: 'argument',
      message: /functions do not cross.*fromModule/,
    })
  t.throws(() => new DataLoader({ dataset: numbers(3), workers: 1, pipeline: ({ x }) => x }), {
    code: 'argument',
    message: /mapped\(dataset/,
  })
  const functions = new DataLoader<Dataset, unknown, unknown>({ dataset: fromArray([() => 1]), workers: 1 })
  t.throws(() => functions.ready(functions.course()), { code: 'argument', message: /cannot be sent to a worker/ })
  await functions.close()
})

test.serial('wrong options, and a loop that does not wait, are refused', async (t) => {
  for (const workers of [-1, 1.5])
    t.throws(() => new DataLoader({ dataset: numbers(3), workers }), { code: 'argument', message: /workers .*whole/ })
  t.throws(() => new DataLoader({ dataset: numbers(3), prefetch: 2 }), { code: 'argument', message: /give workers/ })
  t.throws(() => new DataLoader({ dataset: numbers(3), workers: 1, prefetch: 0 }), { code: 'argument', message: /prefetch 0/ })
  t.throws(() => [...new DataLoader({ dataset: numbers(3), workers: 1 })], { code: 'argument', message: /write `for await/ })
  await t.throwsAsync(fromModule<typeof noisy>(module, { count: 1 }, { name: 'none' }), {
    code: 'argument',
    message: /exports no function 'none'; it has .*noisy|default/,
  })
})
