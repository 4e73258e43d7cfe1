import test from 'ava'
import { DataLoader, type Dataset } from '../../ts/data/index.ts'
import { memory, ones, type Tensor, tensorScope } from '../../ts/tensor/index.ts'
import { numbers, xs } from '../graph/toys.ts'

test('for and for await hand out one epoch', async (t) => {
  const loader = new DataLoader({ dataset: numbers(5), batchSize: 2 })
  t.is(loader.length, 3)
  t.deepEqual(xs(loader), [[0, 1], [2, 3], [4]])
  const labels: bigint[][] = []
  for await (const { y } of loader) labels.push(Array.from(y.dataSync()))
  t.deepEqual(labels, [[0n, 1n], [0n, 1n], [0n]])
})

test('dropLast leaves the short batch out', (t) => {
  t.deepEqual(xs(new DataLoader({ dataset: numbers(5), batchSize: 2, dropLast: true })), [
    [0, 1],
    [2, 3],
  ])
})

test('every epoch is shuffled anew, and repeatably', (t) => {
  const make = (seed: number) => new DataLoader({ dataset: numbers(6), batchSize: 4, shuffle: true, seed })
  const [one, same, other] = [make(1), make(1), make(2)]
  const [first, second] = [xs(one), xs(one)]
  t.deepEqual(first.flat().toSorted(), [0, 1, 2, 3, 4, 5])
  t.notDeepEqual(first, second)
  t.deepEqual([xs(same), xs(same)], [first, second])
  t.notDeepEqual(xs(other), first)
})

test.serial('a batch is freed when the next is asked for, and the last one at the end', (t) => {
  const loader = new DataLoader({ dataset: numbers(6), batchSize: 2 })
  const before = memory().handles
  const seen: Tensor[] = []
  for (const { x } of loader) {
    t.false(x.isDisposed)
    seen.push(x)
    t.deepEqual(
      seen.map(({ isDisposed }) => isDisposed),
      seen.map((_, i) => i < seen.length - 1),
    )
  }
  t.true(seen.every(({ isDisposed }) => isDisposed))
  t.is(memory().handles, before)
})

test.serial('what was kept stays; a loop that is left frees its batch', (t) => {
  const loader = new DataLoader({ dataset: numbers(6), batchSize: 2 })
  const before = memory().handles
  const kept: Tensor[] = []
  for (const { x } of loader) {
    using _ = tensorScope()
    ones([3])
    if (kept.push(x.keep()) === 2) break
  }
  t.deepEqual(
    kept.map((x) => x.isDisposed),
    [false, false],
  )
  t.is(memory().handles, before + 2)
  for (const x of kept) x.dispose()
})

test('its state is a place: another loader goes on there', (t) => {
  const make = () => new DataLoader({ dataset: numbers(7), batchSize: 2, shuffle: true })
  const loader = make()
  xs(loader)
  const batches: number[][] = []
  let state = loader.stateDict()
  for (const { x } of loader) {
    batches.push(Array.from(x.dataSync()))
    if (batches.length === 2) state = loader.stateDict()
  }
  t.deepEqual(state, { epoch: 1, position: 2, taken: 2 })
  const other = make()
  other.loadStateDict(state)
  t.deepEqual(xs(other), batches.slice(2))
  t.deepEqual(xs(other), xs(loader))
})

test('a loop that is left ends its epoch', (t) => {
  const loader = new DataLoader({ dataset: numbers(7), batchSize: 2, shuffle: true })
  for (const _ of loader) break
  t.deepEqual(loader.stateDict(), { epoch: 1, position: 0, taken: 0 })
})

test('a dataset that only has get is collated, and what its samples were made of is freed', (t) => {
  const dataset: Dataset<{ x: Tensor; label: bigint }> = { length: 4, get: (i) => ({ x: ones([2]).mul(i), label: BigInt(i) }) }
  const loader = new DataLoader({ dataset, batchSize: 2 })
  const before = memory().handles
  for (const { x, label } of loader) {
    t.deepEqual(x.shape, [2, 2])
    t.is(label.dtype, 'int64')
    t.is(memory().handles, before + 2)
  }
})

test("a collate of one's own is used, also where the dataset has a batch", (t) => {
  const loader = new DataLoader({ dataset: numbers(4), batchSize: 2, collate: (samples) => samples.map(({ x }) => x.itemSync()) })
  t.deepEqual(
    [...loader],
    [
      [0, 1],
      [2, 3],
    ],
  )
})

test('iterationsPerEpoch batches make an epoch, and the order goes on where it was', (t) => {
  const make = () => new DataLoader({ dataset: numbers(5), batchSize: 2, iterationsPerEpoch: 2, shuffle: true })
  const whole = new DataLoader({ dataset: numbers(5), batchSize: 2, shuffle: true })
  const passes = [...xs(whole), ...xs(whole)]
  const loader = make()
  t.deepEqual([loader.length, loader.passLength], [2, 3])
  t.deepEqual([xs(loader), xs(loader), xs(loader)], [passes.slice(0, 2), passes.slice(2, 4), passes.slice(4)])
  const [first, second] = [make(), make()]
  for (const { x } of first) {
    second.loadStateDict(first.stateDict())
    t.is(x.size, 2)
  }
  t.deepEqual(second.stateDict(), { epoch: 0, position: 2, taken: 2 })
  t.deepEqual(xs(second), [], 'the epoch was over')
  t.deepEqual(xs(second), xs(first))
})

test('a sampler of samples, of batches, and one that asks for too much', (t) => {
  const backwards = { length: 4, index: (position: number) => 4 - position }
  t.deepEqual(xs(new DataLoader({ dataset: numbers(5), batchSize: 3, sampler: backwards })), [[4, 3, 2], [1]])
  const pairs = { length: 2, batch: (position: number) => (position === 0 ? [0, 4] : [2]) }
  t.deepEqual(xs(new DataLoader({ dataset: numbers(5), sampler: pairs })), [[0, 4], [2]])
  t.throws(() => xs(new DataLoader({ dataset: numbers(3), sampler: backwards })), {
    code: 'argument',
    message: /asks for sample 4; there are 3/,
  })
  t.throws(() => new DataLoader({ dataset: numbers(5), sampler: backwards, shuffle: true }), {
    code: 'argument',
    message: /leave shuffle out/,
  })
  t.throws(() => new DataLoader({ dataset: numbers(5), sampler: pairs, batchSize: 2 }), {
    code: 'argument',
    message: /leave batchSize out/,
  })
})

test('processes share the batches: nobody goes without, and nothing is left out', (t) => {
  const seen = (worldSize: number, options: { batchSize: number; batchSizeInTotal?: boolean; dropLast?: boolean }) =>
    Array.from({ length: worldSize }, (_, rank) => xs(new DataLoader({ dataset: numbers(11), ...options }, { rank, worldSize })))
  t.deepEqual(seen(2, { batchSize: 2 }), [
    [
      [0, 1],
      [4, 5],
      [8, 9],
    ],
    [[2, 3], [6, 7], [10]],
  ])
  t.deepEqual(seen(2, { batchSize: 5, batchSizeInTotal: true }), [
    [[0, 1, 2], [5, 6, 7], [10]],
    [[3, 4], [8, 9], [0]],
  ])
  t.deepEqual(seen(2, { batchSize: 5, batchSizeInTotal: true, dropLast: true }), [
    [
      [0, 1, 2],
      [5, 6, 7],
    ],
    [
      [3, 4],
      [8, 9],
    ],
  ])
  t.deepEqual(seen(1, { batchSize: 4, batchSizeInTotal: true }), seen(1, { batchSize: 4 }))
  t.throws(() => seen(3, { batchSize: 2, batchSizeInTotal: true }), { code: 'argument', message: /batchSizeInTotal 2 for 3 processes/ })
})

test('wrong options are refused', (t) => {
  // @ts-expect-error unknown option
  t.throws(() => new DataLoader({ dataset: numbers(2), worker: 2 }), { code: 'argument', message: /unknown option 'worker'/ })
  t.throws(() => new DataLoader({ dataset: numbers(2), iterationsPerEpoch: 0 }), { code: 'argument', message: /iterationsPerEpoch 0/ })
  for (const batchSize of [0, 1.5, -1])
    t.throws(() => new DataLoader({ dataset: numbers(2), batchSize }), { code: 'argument', message: /whole number from 1/ })
  t.throws(() => new DataLoader({ dataset: numbers(2), batchSize: 3, dropLast: true }), {
    code: 'argument',
    message: /2 samples make no batch of 3 with dropLast/,
  })
})
