// How many hostile inputs a fuzz test makes, and the generator that repeats them.

/** `FIRN_FUZZ` of them, or `few` in a run of the whole suite. */
export const rounds = (few: number): number => Number(process.env['FIRN_FUZZ'] ?? few)

/** Whole numbers below a bound; the same for the same seed. Mulberry32 of Tommy Ettinger. */
export function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
