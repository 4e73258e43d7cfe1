// Small whole numbers that decide everything in a random program; fast-check shrinks them towards 0.

/** Hands out the numbers of a list, and zeros behind its end. */
export class Picks {
  readonly #numbers: readonly number[]
  #at = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  /** A whole number in `0..n`. */
  below(n: number): number {
    return (this.#numbers[this.#at++] ?? 0) % Math.max(1, n)
  }

  /** Whether an event of `share` percent happens; not at 0. */
  chance(share: number): boolean {
    return this.below(100) >= 100 - share
  }

  of<T>(list: readonly [T, ...T[]]): T
  of<T>(list: readonly T[]): T | undefined
  of<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)]
  }
}
