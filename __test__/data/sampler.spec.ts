import test from 'ava'
import { inOrder, shuffled } from '../../ts/data/index.ts'

const order = (length: number, seed: number, epoch: number): number[] => {
  const sampler = shuffled(length, seed)
  return Array.from({ length }, (_, position) => sampler(epoch, position))
}

for (const length of [1, 2, 3, 5, 16, 17, 100, 1000, 4097, 60_000]) {
  test(`${length} positions are a permutation in every epoch`, (t) => {
    for (const epoch of [0, 1, 7])
      t.deepEqual(
        Int32Array.from(order(length, 3, epoch)).toSorted(),
        Int32Array.from({ length }, (_, i) => i),
      )
  })
}

test('orders depend on seed and epoch alone', (t) => {
  t.deepEqual(order(50, 1, 2), order(50, 1, 2))
  t.notDeepEqual(order(50, 1, 2), order(50, 1, 3))
  t.notDeepEqual(order(50, 1, 2), order(50, 2, 2))
  t.notDeepEqual(order(50, 1, 2), order(50, 2, 1))
})

test('a position is gone to without those before it', (t) => {
  t.is(shuffled(1e12, 0)(5, 123_456_789_012), shuffled(1e12, 0)(5, 123_456_789_012))
  t.true(shuffled(1e12, 0)(5, 123_456_789_012) < 1e12)
})

test('every sample comes to every position about equally often', (t) => {
  const [length, epochs] = [5, 4000]
  const counts = Array.from({ length }, () => Array.from({ length }, () => 0))
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const [position, index] of order(length, 11, epoch).entries())
      (counts[position] ?? [])[index] = (counts[position]?.[index] ?? 0) + 1
  }
  // Chi squared with (length - 1)^2 = 16 degrees of freedom is above 40 once in a thousand times.
  const expected = epochs / length
  const chi2 = (counts.flat().reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) * (length - 1)) / length
  t.true(chi2 < 40, `chi squared ${chi2}`)
})

test('neighbours in the data are no neighbours in the order', (t) => {
  const shuffledOrder = order(10_000, 0, 0)
  const close = shuffledOrder.slice(1).filter((index, i) => Math.abs(index - (shuffledOrder[i] ?? 0)) === 1).length
  t.true(close < 10, `${close} pairs`)
})

test('inOrder is the order of the data', (t) => {
  t.deepEqual(
    [0, 1, 2].map((position) => inOrder(4, position)),
    [0, 1, 2],
  )
})
