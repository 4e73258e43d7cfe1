// Bits that depend on numbers alone: what orders and augmentations are drawn from, with nothing to keep.

/** The 32-bit finalizer of MurmurHash3: every bit of the input moves every bit of the output. */
export function mix(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** 32 bits for a list of whole numbers; those beyond 32 bits count with their upper half, too. */
export function hash(...values: readonly number[]): number {
  let state = 0x9e3779b9
  for (const value of values) state = mix(state ^ mix(value ^ mix(Math.floor(value / 2 ** 32)))) + 0x9e3779b9
  return mix(state)
}

/** A number in 0..1, 1 not included, with 53 random bits. */
export const unit = (key: number, count: number): number => (hash(key, count, 1) * 2 ** 21 + (hash(key, count, 2) >>> 11)) / 2 ** 53
