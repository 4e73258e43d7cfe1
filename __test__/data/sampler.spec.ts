import test from 'ava'
import { sequential, shuffled, subsetSampler, weighted } from '../../ts/data/index.ts'

const order = (length: number, seed: number, epoch: number): number[] => {
  const sampler = shuffled(length)
  return Array.from({ length }, (_, position) => sampler.index(position, { seed, epoch }))
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
  const far = { seed: 0, epoch: 5 }
  t.is(shuffled(1e12).index(123_456_789_012, far), shuffled(1e12).index(123_456_789_012, far))
  t.true(shuffled(1e12).index(123_456_789_012, far) < 1e12)
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

const pass = { seed: 1, epoch: 4 }

test('sequential is the order of the data', (t) => {
  t.deepEqual(
    [0, 1, 2].map((position) => sequential(3).index(position, pass)),
    [0, 1, 2],
  )
})

test('a subset is shuffled, and nothing else of the data is seen', (t) => {
  const some = subsetSampler([3, 5, 8, 13])
  const seen = (epoch: number) => [0, 1, 2, 3].map((position) => some.index(position, { seed: 0, epoch }))
  t.deepEqual(
    seen(0).toSorted((a, b) => a - b),
    [3, 5, 8, 13],
  )
  t.true([1, 2, 3].some((epoch) => seen(epoch).join() !== seen(0).join()))
})

test('weighted draws follow the weights, repeat, and never give a sample of weight 0', (t) => {
  const weights = [1, 0, 3, 0.5, 5.5]
  const sampler = weighted(weights, { samples: 20_000 })
  t.is(sampler.length, 20_000)
  const draws = Array.from({ length: 20_000 }, (_, position) => sampler.index(position, pass))
  const counts = weights.map((_, i) => draws.filter((index) => index === i).length)
  t.is(counts[1], 0)
  // Chi squared with 3 degrees of freedom is above 16.3 once in a thousand times.
  const chi2 = counts.reduce(
    (sum, count, i) => sum + (i === 1 ? 0 : (count - 2000 * (weights[i] ?? 0)) ** 2 / (2000 * (weights[i] ?? 1))),
    0,
  )
  t.true(chi2 < 16.3, `chi squared ${chi2}`)
  t.is(sampler.index(777, pass), draws[777] ?? -1)
  t.notDeepEqual(
    draws.slice(0, 50),
    Array.from({ length: 50 }, (_, position) => sampler.index(position, { seed: 1, epoch: 5 })),
  )
})

test('a single sample has all the weight; weights that are none are refused', (t) => {
  t.is(weighted([0, 0, 1e-300]).index(9, pass), 2)
  t.throws(() => weighted([1, -1]), { code: 'argument', message: /weight -1 of sample 1/ })
  t.throws(() => weighted([1, NaN]), { code: 'argument', message: /weight NaN of sample 1/ })
  t.throws(() => weighted([0, 0]), { code: 'argument', message: /add up to 0/ })
  t.throws(() => weighted([]), { code: 'argument', message: /add up to 0/ })
  t.throws(() => weighted([1], { samples: 1.5 }), { code: 'argument', message: /1.5 samples/ })
})
