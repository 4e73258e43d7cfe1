// The state of a meter, read back from a checkpoint.
import { FirnError } from '../../errors.ts'
import type { Json } from '../../io/index.ts'

/** The state as a list of numbers. Fails with code `'io'` when it is none, or not of `size` numbers where that is given. */
export function savedNumbers(state: Json, size?: number): number[] {
  const isList = Array.isArray(state) && state.every((item) => typeof item === 'number')
  if (isList && (size === undefined || state.length === size)) return [...state]
  const expected = size === undefined ? 'a list of numbers' : `a list of ${size} numbers`
  throw new FirnError(
    'io',
    `meter: the saved state is ${isList ? `a list of ${state.length}` : JSON.stringify(state)}, expected ${expected}`,
  )
}
