// Checks of the sizes that layers are made with.
import { FirnError } from '../errors.ts'
import type { Pair } from '../tensor/index.ts'

/** `value` if it is a whole number of at least `least`, else an error that names it. */
export function checkSize(name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value
  throw new FirnError('argument', `${name} must be a whole number >= ${least}, got ${value}`)
}

/** Height and width of `value`, both checked. */
export function checkPair(name: string, value: Pair, least = 1): [height: number, width: number] {
  const [height, width] = typeof value === 'number' ? [value, value] : value
  return [checkSize(name, height, least), checkSize(name, width, least)]
}

/** A pair as options spell it: one number where both are equal. */
export function pairText([height, width]: readonly [number, number]): string {
  return height === width ? String(height) : `[${height}, ${width}]`
}
