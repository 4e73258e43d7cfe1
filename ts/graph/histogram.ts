// Histograms: counted on the device, in buckets that fit weights and gradients of any size.
import { cat, type DType, stack, type Tensor, tensor, where } from '../tensor/index.ts'
import type { HistogramSummary } from './eventKinds.ts'
import type { Numbers } from './lateValues.ts'

// TensorBoard's own: from 1e-12, each a tenth larger than the one before, below 1e20; the same below 0.
const positive: number[] = []
for (let end = 1e-12; end < 1e20; end *= 1.1) positive.push(end)
const ends: readonly number[] = [...positive.map((end) => -end).toReversed(), 0, ...positive, Number.MAX_VALUE]

// Where the count of what is not finite goes; it is in no bucket.
const zero = positive.length + 1

/** Finite numbers, least, greatest, sum, sum of squares; then the counts by bucket, with 0 in place of what is not finite. */
export function histogramOf(values: Tensor<DType>): Tensor<'float64'> {
  const x = values.double().reshape([values.size])
  const finite = x.isFinite()
  const zeroed = where(finite, x, 0)
  const extremes = [where(finite, x, Infinity), where(finite, x, -Infinity)] as const
  const facts =
    values.size === 0
      ? [0, NaN, NaN, 0, 0].map((fact) => tensor(fact, { dtype: 'float64' }))
      : [finite.sum(), extremes[0].amin(), extremes[1].amax(), zeroed.sum(), zeroed.square().sum()].map((fact) => fact.double())
  const buckets = zeroed.bucketize(tensor(ends, { dtype: 'float64' }), { right: true })
  return cat([stack(facts), buckets.bincount({ minLength: ends.length }).double()])
}

/** What `histogramOf` gave for `size` numbers, once it is read; empty buckets at both ends are left out. */
export function spreadOf(numbers: Numbers, size: number): HistogramSummary {
  const [count = 0, min = NaN, max = NaN, sum = 0, sumSquares = 0, ...counts] = Array.from(numbers, Number)
  const nonFinite = size - count
  counts[zero] = (counts[zero] ?? 0) - nonFinite
  const first = counts.findIndex((each) => each > 0)
  const last = counts.findLastIndex((each) => each > 0) + 1
  const range = count === 0 ? ([0, 0] as const) : ([first, last] as const)
  return {
    count,
    nonFinite,
    min: count === 0 ? NaN : min,
    max: count === 0 ? NaN : max,
    sum,
    sumSquares,
    limits: ends.slice(...range),
    counts: counts.slice(...range),
  }
}
