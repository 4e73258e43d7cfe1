// The order of samples, as a function of seed, epoch and position: nothing to keep, so any position can be gone to at once.
import { FirnError } from '../errors.ts'
import { hash, mix, unit } from './mix.ts'

/** What an order may depend on, beside the position. */
export interface Pass {
  /** Of the loader, or of the run. */
  readonly seed: number
  /** Passes over the data that came before this one. */
  readonly epoch: number
}

/**
 * The order of samples. One of your own gives the same index whenever it is asked for the same place; that is what makes a run resume
 * exactly.
 *
 * @example
 * const backwards: Sampler = { length: 6, index: (position) => 5 - position }
 * new DataLoader({ dataset: mnist(), sampler: backwards }).indices(0, 0) // [5]
 */
export interface Sampler {
  /** Samples in an epoch. */
  readonly length: number
  /** The index of the sample at a position of an epoch. */
  index(position: number, pass: Pass): number
}

/** Every epoch in the order of the dataset. @example sequential(3).index(2, { seed: 0, epoch: 7 }) // 2 */
export function sequential(length: number): Sampler {
  return { length: whole('sequential', length), index: (position) => position }
}

/**
 * Every epoch in an order of its own: a permutation of 0..length-1.
 *
 * @example
 * const order = shuffled(5)
 * Array.from({ length: 5 }, (_, i) => order.index(i, { seed: 0, epoch: 3 })).toSorted() // [0, 1, 2, 3, 4]
 */
export function shuffled(length: number): Sampler {
  whole('shuffled', length)
  // A Feistel network permutes 0..4^half-1; positions that land outside of the dataset are sent through again until they are inside.
  const half = Math.max(1, Math.ceil(Math.log2(Math.max(2, length)) / 2))
  const mask = 2 ** half - 1
  return {
    length,
    index: (position, { seed, epoch }) => {
      const key = mix(mix(seed) ^ epoch)
      let index = position
      do index = feistel(index, key, half, mask)
      while (index >= length)
      return index
    },
  }
}

/**
 * Some of the samples, every epoch in an order of its own.
 *
 * @example
 * const some = subsetSampler([2, 3, 5])
 * Array.from({ length: 3 }, (_, i) => some.index(i, { seed: 1, epoch: 0 })).toSorted() // [2, 3, 5]
 */
export function subsetSampler(indices: readonly number[]): Sampler {
  const order = shuffled(indices.length)
  return { length: indices.length, index: (position, pass) => indices[order.index(position, pass)] ?? 0 }
}

/** Options of `weighted`. */
export interface WeightedOptions {
  /** Samples in an epoch. @default as many as there are weights */
  readonly samples?: number
}

/**
 * Draws with replacement, each sample as often as its weight says; for classes of different sizes, the weight of a sample is one over the
 * size of its class. A draw takes the same time for any number of samples. Fails with code `'argument'` on weights that are negative,
 * not finite, or all 0.
 *
 * @example
 * const rare = weighted([0, 0, 1], { samples: 2 })
 * rare.index(1, { seed: 0, epoch: 0 }) // 2
 */
export function weighted(weights: ArrayLike<number>, options: WeightedOptions = {}): Sampler {
  const { accept, alias } = aliasTable(Array.from(weights))
  const { samples = accept.length } = options
  return {
    length: whole('weighted', samples),
    index: (position, { seed, epoch }) => {
      const key = hash(seed, epoch, position)
      const column = Math.floor(unit(key, 0) * accept.length)
      return unit(key, 1) < (accept[column] ?? 0) ? column : (alias[column] ?? 0)
    },
  }
}

// Walker's alias method as Vose made it (1991): columns of equal width, each of at most two samples.
function aliasTable(weights: readonly number[]): { accept: Float64Array; alias: Float64Array } {
  const odd = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity))
  if (odd >= 0) throw new FirnError('argument', `weighted: weight ${weights[odd]} of sample ${odd}, expected 0 or more`)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  if (!(sum > 0 && sum < Infinity)) throw new FirnError('argument', `weighted: the weights add up to ${sum}, expected more than 0`)
  const accept = Float64Array.from(weights, (weight) => (weight / sum) * weights.length)
  const heaviest = weights.indexOf(weights.reduce((most, weight) => Math.max(most, weight), 0))
  const alias = new Float64Array(weights.length).fill(heaviest)
  const small = [...accept.keys()].filter((i) => (accept[i] ?? 0) < 1)
  const large = [...accept.keys()].filter((i) => (accept[i] ?? 0) >= 1)
  for (let less = small.pop(), more = large.at(-1); less !== undefined && more !== undefined; less = small.pop(), more = large.at(-1)) {
    alias[less] = more
    accept[more] = (accept[more] ?? 0) - (1 - (accept[less] ?? 0))
    if ((accept[more] ?? 0) < 1) small.push(large.pop() ?? more)
  }
  // What rounding left over is a whole column, but never one of weight 0.
  for (const i of [...small, ...large]) if ((weights[i] ?? 0) > 0) accept[i] = 1
  return { accept, alias }
}

function whole(what: string, length: number): number {
  if (Number.isSafeInteger(length) && length >= 0) return length
  throw new FirnError('argument', `${what}: ${length} samples, expected a whole number`)
}

const rounds = 8

function feistel(value: number, key: number, half: number, mask: number): number {
  let left = Math.floor(value / 2 ** half)
  let right = value % 2 ** half
  for (let round = 0; round < rounds; round++) {
    const next = (left ^ mix(right ^ mix(key + round))) & mask
    left = right
    right = next
  }
  return left * 2 ** half + right
}
