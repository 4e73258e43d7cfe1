// Checks of the sizes that layers are made with.
import { FirnError } from '../errors.ts'
import type { Pair, Triple } from '../tensor/index.ts'

/** Sizes as a layer keeps them, one for each spatial dimension; one number where there is one dimension. */
export type Sizes = number | readonly [number, number] | readonly [number, number, number]

/** Reads sizes from options: each at least `least`. */
export type SizesOf<I, S extends Sizes> = (name: string, value: I, least?: number) => S

/** `value` if it is a whole number of at least `least`, else an error that names it. */
export function checkSize(name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value
  throw new FirnError('argument', `${name} must be a whole number >= ${least}, got ${value}`)
}

/** Height and width of `value`, both checked. */
export function checkPair(name: string, value: Pair, least = 1): readonly [height: number, width: number] {
  const [height, width] = typeof value === 'number' ? [value, value] : value
  return [checkSize(name, height, least), checkSize(name, width, least)]
}

/** Depth, height and width of `value`, all checked. */
export function checkTriple(name: string, value: Triple, least = 1): readonly [depth: number, height: number, width: number] {
  const [depth, height, width] = typeof value === 'number' ? [value, value, value] : value
  return [checkSize(name, depth, least), checkSize(name, height, least), checkSize(name, width, least)]
}

/** Sizes as a list. */
export function listed(sizes: Sizes): readonly number[] {
  return typeof sizes === 'number' ? [sizes] : sizes
}

/** Sizes as options spell them: one number where all are equal. */
export function sizesText(sizes: Sizes): string {
  const list = listed(sizes)
  return list.every((size) => size === list[0]) ? String(list[0]) : `[${list.join(', ')}]`
}
