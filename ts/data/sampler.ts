// The order of samples, as a function of seed, epoch and position: nothing to keep, so any position can be gone to at once.

/** The index of the sample at a position of an epoch. */
export type Sampler = (epoch: number, position: number) => number

/** Every epoch in the order of the dataset. */
export const inOrder: Sampler = (_, position) => position

/**
 * Every epoch in an order of its own: a permutation of 0..length-1 that depends on seed and epoch alone.
 *
 * @example
 * const order = shuffled(5, 0)
 * Array.from({ length: 5 }, (_, i) => order(0, i)).toSorted() // [0, 1, 2, 3, 4]
 */
export function shuffled(length: number, seed: number): Sampler {
  // A Feistel network permutes 0..4^half-1; positions that land outside of the dataset are sent through again until they are inside.
  const half = Math.max(1, Math.ceil(Math.log2(Math.max(2, length)) / 2))
  const mask = 2 ** half - 1
  return (epoch, position) => {
    const key = mix(mix(seed) ^ epoch)
    let index = position
    do index = feistel(index, key, half, mask)
    while (index >= length)
    return index
  }
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

// The 32-bit finalizer of MurmurHash3: every bit of the input moves every bit of the output.
function mix(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
