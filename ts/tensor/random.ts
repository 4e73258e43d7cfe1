// The state of the generator: a seed and a count of calls.
import { native } from '../backend/index.ts'
import { FirnError } from '../errors.ts'

/** All there is to save of the generator. */
export interface RngState {
  /** The 64-bit seed as a decimal. */
  readonly seed: string
  /** Random calls made since. */
  readonly calls: number
}

/**
 * Starts the generator of this thread over: every random call after it repeats.
 * @example
 * seed(0)
 * const a = rand([2])
 * seed(0)
 * rand([2]).eq(a) // [true, true]
 */
export function seed(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new FirnError('argument', `seed: expected a whole number of 0 or more and got ${value}`)
  setRngState({ seed: String(value), calls: 0 })
}

/** The generator's state, to go on from later. @example rngState().calls >= 0 // true */
export function rngState(): RngState {
  const [low = 0, high = 0, calls = 0] = native.randomState()
  return { seed: String((BigInt(high) << 32n) | BigInt(low)), calls }
}

/** Goes on from a state. @example setRngState({ seed: '1', calls: 0 }); rngState().seed // '1' */
export function setRngState({ seed, calls }: RngState): void {
  const bits = BigInt(seed)
  native.setRandomState(Number(bits & 0xffffffffn), Number(bits >> 32n), calls)
}
