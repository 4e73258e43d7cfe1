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
  t.deepEqual(state, { epoch: 1, position: 2 })
  const other = make()
  other.loadStateDict(state)
  t.deepEqual(xs(other), batches.slice(2))
  t.deepEqual(xs(other), xs(loader))
})

test('a loop that is left ends its epoch', (t) => {
  const loader = new DataLoader({ dataset: numbers(7), batchSize: 2, shuffle: true })
  for (const _ of loader) break
  t.deepEqual(loader.stateDict(), { epoch: 1, position: 0 })
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

test('wrong options are refused', (t) => {
  // @ts-expect-error unknown option
  t.throws(() => new DataLoader({ dataset: numbers(2), workers: 2 }), { code: 'argument', message: /unknown option 'workers'/ })
  for (const batchSize of [0, 1.5, -1])
    t.throws(() => new DataLoader({ dataset: numbers(2), batchSize }), { code: 'argument', message: /whole number from 1/ })
  t.throws(() => new DataLoader({ dataset: numbers(2), batchSize: 3, dropLast: true }), {
    code: 'argument',
    message: /2 samples make no batch of 3 with dropLast/,
  })
})
