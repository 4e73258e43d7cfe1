// Which samples are in which batch: from a sampler, or batches of a user's own, shared out over processes.
import { FirnError } from '../errors.ts'
import type { Pass, Sampler } from './sampler.ts'

/**
 * Batches of indices, for orders that a list of samples cannot give.
 *
 * @example
 * const pairs: BatchSampler = { length: 2, batch: (position) => [position, 5 - position] }
 * new DataLoader({ dataset: mnist(), sampler: pairs }).indices(0, 1) // [1, 4]
 */
export interface BatchSampler {
  /** Batches in an epoch. */
  readonly length: number
  /** The indices of the samples in a batch of an epoch; the same whenever it is asked for. */
  batch(position: number, pass: Pass): readonly number[]
}

/** Which process this is of how many that share the data. */
export interface Share {
  readonly rank: number
  readonly worldSize: number
}

/** How batches are cut. */
export interface Cut {
  readonly batchSize: number
  readonly dropLast: boolean
  /** Whether `batchSize` is that of all processes together. */
  readonly inTotal: boolean
  readonly share: Share
}

/** The batches of one process. */
export function planBatches(what: string, sampler: Sampler, { batchSize, dropLast, inTotal, share }: Cut): BatchSampler {
  const { rank, worldSize } = share
  if (inTotal && batchSize < worldSize)
    throw new FirnError(
      'argument',
      `${what}: batchSizeInTotal ${batchSize} for ${worldSize} processes, expected one sample for each or more`,
    )
  const whole = inTotal ? batchSize : batchSize * worldSize
  const length = dropLast ? Math.floor(sampler.length / whole) : Math.ceil(sampler.length / whole)
  if (length === 0) {
    const why = dropLast ? ' with dropLast' : ''
    throw new FirnError('argument', `${what}: ${sampler.length} samples make no batch of ${whole}${why}`)
  }
  return {
    length,
    batch: (position, pass) => {
      const from = position * whole
      // Where the last samples are fewer than the processes, the first of the pass come again, so that everybody has one.
      const count = Math.max(worldSize, Math.min(whole, sampler.length - from))
      const [least, more] = [Math.floor(count / worldSize), count % worldSize]
      const own = least + (rank < more ? 1 : 0)
      const before = least * rank + Math.min(rank, more)
      return Array.from({ length: own }, (_, i) => sampler.index((from + before + i) % sampler.length, pass))
    },
  }
}

/** Every process takes a batch in turn. */
export function shareBatches(what: string, sampler: BatchSampler, { rank, worldSize }: Share): BatchSampler {
  const length = Math.floor(sampler.length / worldSize)
  if (length === 0) throw new FirnError('argument', `${what}: the sampler has ${sampler.length} batches for ${worldSize} processes`)
  return { length, batch: (position, pass) => sampler.batch(position * worldSize + rank, pass) }
}
