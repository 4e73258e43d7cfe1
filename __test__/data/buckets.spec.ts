import test from 'ava'
import { bucketed, DataLoader, fromArray, padded } from '../../ts/data/index.ts'

const lengths = Array.from({ length: 103 }, (_, i) => (i * 37) % 50)
const pass = (epoch: number) => ({ seed: 2, epoch })
const all = (sampler: ReturnType<typeof bucketed>, epoch: number) =>
  Array.from({ length: sampler.length }, (_, i) => sampler.batch(i, pass(epoch)))

test('every sample comes once in an epoch, in batches of about one length', (t) => {
  const sampler = bucketed(lengths, { batchSize: 5, buckets: 10 })
  for (const epoch of [0, 1]) {
    const batches = all(sampler, epoch)
    t.deepEqual(
      batches.flat().toSorted((a, b) => a - b),
      lengths.map((_, i) => i),
    )
    for (const batch of batches) {
      const own = batch.map((i) => lengths[i] ?? 0)
      t.true(Math.max(...own) - Math.min(...own) <= 6)
    }
  }
})

test('epochs differ, places repeat, short batches may be left out', (t) => {
  const sampler = bucketed(lengths, { batchSize: 4 })
  t.notDeepEqual(all(sampler, 0), all(sampler, 1))
  t.deepEqual(all(sampler, 3), all(sampler, 3))
  t.true(all(bucketed(lengths, { batchSize: 4, dropLast: true }), 0).every(({ length }) => length === 4))
})

test('with a loader and padded, less is filled up', (t) => {
  const dataset = fromArray(lengths.map((length) => ({ ids: new Int32Array(length).fill(1) })))
  const filled = (options: { sampler?: ReturnType<typeof bucketed>; batchSize?: number; shuffle?: boolean }) =>
    Array.from(new DataLoader({ dataset, collate: padded(), ...options }), ({ ids }) => ids.size).reduce((sum, size) => sum + size, 0)
  t.true(filled({ sampler: bucketed(lengths, { batchSize: 5, buckets: 10 }) }) * 1.3 < filled({ batchSize: 5, shuffle: true }))
})

test('wrong options are refused', (t) => {
  t.throws(() => bucketed(lengths, { batchSize: 0 }), { code: 'argument', message: /batchSize 0/ })
  t.throws(() => bucketed([], { batchSize: 2 }), { code: 'argument', message: /buckets 0 for 0 samples/ })
  t.throws(() => bucketed([1, NaN], { batchSize: 2 }), { code: 'argument', message: /sample 1 has the length NaN/ })
})
