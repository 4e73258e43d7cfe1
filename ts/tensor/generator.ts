// Generators: their state is a seed and a count of calls.
import { native } from '../backend/index.ts'
import { FirnError } from '../errors.ts'

/** All there is to save of a generator. */
export interface RngState {
  /** The 64-bit seed as a decimal. */
  readonly seed: string
  /** Random calls made since. */
  readonly calls: number
}

function seeded(value: number): RngState {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new FirnError('argument', `seed: expected a whole number of 0 or more and got ${value}`)
  return { seed: String(value), calls: 0 }
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
  setRngState(seeded(value))
}

/** The generator's state, to go on from later. @example rngState().calls >= 0 // true */
export function rngState(): RngState {
  const [low = 0, high = 0, calls = 0] = native.randomState()
  return { seed: join(low, high), calls }
}

/** Goes on from a state. @example setRngState({ seed: '1', calls: 0 }); rngState().seed // '1' */
export function setRngState({ seed, calls }: RngState): void {
  if (!/^\d+$/.test(seed) || BigInt(seed) >> 64n !== 0n || !Number.isSafeInteger(calls) || calls < 0) {
    throw new FirnError('argument', `setRngState: expected a seed of 64 bits as a decimal and a count, got '${seed}' and ${calls}`)
  }
  native.setRandomState(...halves(seed), calls)
}

const halves = (seed: string): [low: number, high: number] => [Number(BigInt(seed) & 0xffffffffn), Number(BigInt(seed) >> 32n)]
const join = (low: number, high: number): string => String((BigInt(high) << 32n) | BigInt(low))

/**
 * A generator of its own, for the `generator` option of random functions, or for everything in `run`.
 * @example
 * const noise = new Generator(7).fork('noise')
 * randn([2], { generator: noise }).shape // [2]
 * noise.state.calls                      // 1
 */
export class Generator {
  #state: RngState

  constructor(seed: number | RngState = 0) {
    this.#state = typeof seed === 'number' ? seeded(seed) : seed
  }

  /** Plain data, to go on from later: `new Generator(state)`, or set it. */
  get state(): RngState {
    return this.#state
  }

  set state(state: RngState) {
    this.#state = state
  }

  /**
   * The stream `name` of this seed: a generator that depends on both and on nothing drawn so far, so another consumer shifts nobody.
   * @example
   * const draws = () => rand([1], { generator: new Generator(0).fork('init') })
   * draws().eq(draws()) // [true]
   */
  fork(name: string): Generator {
    const [low = 0, high = 0] = native.randomStream(...halves(this.#state.seed), name)
    return new Generator({ seed: join(low, high), calls: 0 })
  }

  /**
   * Runs a synchronous function whose random calls, of layers and dropout too, all draw from this generator.
   * @example
   * const initial = () => new Generator(1).run(() => rand([1]).itemSync())
   * initial() === initial() // true
   */
  run<T>(fn: () => T): T {
    const before = rngState()
    setRngState(this.#state)
    try {
      const result = fn()
      if (result instanceof Promise) {
        throw new FirnError(
          'argument',
          'Generator.run: the function must not be async; other code would draw from this generator meanwhile',
        )
      }
      return result
    } finally {
      this.#state = rngState()
      setRngState(before)
    }
  }
}

/** Runs a synchronous function on a generator that starts from `seed`; the thread's own is as before. @example withSeed(3, () => rand([2]).shape) // [2] */
export function withSeed<T>(seed: number, fn: () => T): T {
  return new Generator(seed).run(fn)
}
