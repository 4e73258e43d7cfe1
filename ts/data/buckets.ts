// Batches of samples of about the same length, so that little has to be filled up.
import { checkOptions, FirnError } from '../errors.ts'
import { hash } from './mix.ts'
import type { BatchSampler } from './plan.ts'
import { shuffled } from './sampler.ts'

/** Options of `bucketed`. */
export interface BucketOptions {
  /** Samples in a batch; the last batch of each bucket may have fewer. */
  readonly batchSize: number
  /** Buckets of equal numbers of samples, from the shortest to the longest. @default as many as make ten batches each */
  readonly buckets?: number
  /** Whether batches with fewer samples are left out. @default false */
  readonly dropLast?: boolean
}

/**
 * Batches of samples of about the same length: samples are sorted into buckets by their lengths once, which takes time in proportion to
 * n log n; in every epoch each bucket is shuffled, and so are the batches of all of them. A batch is then found without those before it.
 *
 * @example
 * const sampler = bucketed([1, 9, 2, 8], { batchSize: 2, buckets: 2 })
 * sampler.batch(0, { seed: 0, epoch: 0 }).length // 2
 */
export function bucketed(lengths: ArrayLike<number>, options: BucketOptions): BatchSampler {
  checkOptions('bucketed', options, ['batchSize', 'buckets', 'dropLast'])
  const { batchSize, dropLast = false } = options
  const { buckets = Math.ceil(lengths.length / (10 * batchSize)) } = options
  for (const [name, value] of Object.entries({ batchSize, buckets })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new FirnError('argument', `bucketed: ${name} ${value} for ${lengths.length} samples, expected a whole number from 1`)
  }
  const odd = Array.from(lengths).findIndex((length) => !Number.isFinite(length))
  if (odd >= 0) throw new FirnError('argument', `bucketed: sample ${odd} has the length ${lengths[odd]}, expected a number`)
  const sorted = Array.from({ length: lengths.length }, (_, i) => i).toSorted((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0))
  const size = Math.ceil(sorted.length / buckets)
  const parts = Array.from({ length: Math.ceil(sorted.length / size) }, (_, i) => sorted.slice(i * size, (i + 1) * size))
  const places = parts.flatMap((part, bucket) => {
    const count = dropLast ? Math.floor(part.length / batchSize) : Math.ceil(part.length / batchSize)
    const order = shuffled(part.length)
    return Array.from({ length: count }, (_, batch) => ({ part, bucket, order, from: batch * batchSize }))
  })
  const batches = shuffled(places.length)
  return {
    length: places.length,
    batch: (position, { seed, epoch }) => {
      const place = places[batches.index(position, { seed, epoch })]
      if (place === undefined) return []
      const { part, bucket, order, from } = place
      const own = { seed: hash(seed, bucket), epoch }
      return Array.from({ length: Math.min(batchSize, part.length - from) }, (_, i) => part[order.index(from + i, own)] ?? 0)
    },
  }
}
