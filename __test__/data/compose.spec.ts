import test from 'ava'
import { concat, DataLoader, type Dataset, fromArray, mapped, pipeline, randomSplit, subset } from '../../ts/data/index.ts'

const letters = fromArray(['a', 'b', 'c', 'd', 'e'])
const all = <S>(dataset: Dataset<S>): S[] => Array.from({ length: dataset.length }, (_, i) => dataset.get(i))

test('parts and joins keep the samples and their order', (t) => {
  t.deepEqual(all(subset(letters, [4, 0, 0])), ['e', 'a', 'a'])
  t.deepEqual(all(concat([letters, subset(letters, []), subset(letters, [2])])), ['a', 'b', 'c', 'd', 'e', 'c'])
  t.deepEqual(all(subset(concat([letters, letters]), [6])), ['b'])
})

test('a random split is a partition, the same for a seed', (t) => {
  const [one, two] = randomSplit(letters, [3, 2], { seed: 4 })
  t.deepEqual([...all(one), ...all(two)].toSorted(), all(letters))
  t.deepEqual(all(randomSplit(letters, [3, 2], { seed: 4 })[0]), all(one))
  t.true([5, 6, 7].some((seed) => all(randomSplit(letters, [3, 2], { seed })[0]).join() !== all(one).join()))
  t.deepEqual(
    randomSplit(letters, [0.5, 0.3, 0.2]).map(({ length }) => length),
    [2, 1, 2],
  )
  t.deepEqual(
    randomSplit(fromArray([1]), [1, 0]).map(({ length }) => length),
    [1, 0],
  )
  t.throws(() => randomSplit(letters, [3, 3]), { code: 'argument', message: /parts 3, 3 of 5 samples/ })
  t.throws(() => randomSplit(letters, [0.5, 0.6]), { code: 'argument', message: /shares to 1/ })
})

test('functions over samples, typed from one to the next', (t) => {
  const codes = mapped(
    letters,
    (letter) => letter.charCodeAt(0),
    (code, { index }) => ({ code, index }),
  )
  t.deepEqual(codes.get(1), { code: 98, index: 1 })
  t.deepEqual(
    all(
      mapped(
        letters,
        pipeline((letter: string) => letter.toUpperCase()),
      ),
    ),
    ['A', 'B', 'C', 'D', 'E'],
  )
})

test('what a mapped dataset draws is that of the loader', (t) => {
  const noisy = mapped(letters, (_, { random }) => random.uniform())
  const draws = (seed: number) =>
    Array.from(new DataLoader({ dataset: noisy, seed, batchSize: 5 }), (batch) => Array.from(batch.dataSync())).flat()
  t.deepEqual(draws(1), draws(1))
  t.notDeepEqual(draws(1), draws(2))
  t.is(noisy.get(3), noisy.get(3), 'without a loader: seed 0, epoch 0')
})

test('indices that are none are refused', (t) => {
  t.throws(() => subset(letters, [5]), { code: 'argument', message: /subset: no sample 5; there are 5/ })
  for (const dataset of [letters, subset(letters, [0]), concat([letters])])
    for (const index of [-1, 5, 0.5]) t.throws(() => dataset.get(index), { code: 'argument', message: /counted from 0/ })
})
