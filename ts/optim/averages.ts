// Running averages put to use: read by name, or held by the parameters for a while.
import { FirnError } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import type { Average } from './average.ts'
import type { Place, Stepper } from './stepper.ts'

type AveragedParam = readonly [param: Tensor<DType>, average: Tensor<DType>]

/** Parameters that hold their averages until this is disposed of. */
export class AveragedGuard {
  readonly #end: () => void
  #open = true

  /** Made by `averaged` of a bound optimizer; `ended` is called once. */
  constructor(pairs: readonly AveragedParam[], ended: () => void) {
    const values = pairs.map(([param]) => param.detach().keep())
    for (const [param, average] of pairs) param.update(() => average.to(param.dtype))
    this.#end = () => {
      for (const [i, value] of values.entries()) {
        pairs[i]?.[0].update(() => value)
        value.dispose()
      }
      ended()
    }
  }

  /** Gives the parameters back what they held; doing it again does nothing. */
  [Symbol.dispose](): void {
    if (!this.#open) return
    this.#open = false
    this.#end()
  }
}

/** The averages that an optimizer keeps beside its state. */
export class Averages {
  readonly #average: Average | null
  readonly #stepper: Stepper
  #swapped = false

  constructor(average: Average | null, stepper: Stepper) {
    this.#average = average
    this.#stepper = stepper
  }

  /** Averages by parameter name, in the parameters' dtypes; a parameter that has none yet as it is. */
  values(): Record<string, Tensor<DType>> {
    this.#check('averages')
    return Object.fromEntries(
      this.#stepper.allPlaces().map((place) => [place.name, (this.#of(place) ?? place.param).detach().to(place.param.dtype)]),
    )
  }

  /** Lets the parameters hold their averages. */
  swap(): AveragedGuard {
    this.#check('averaged')
    this.refuse('averaged')
    const pairs = this.#stepper.allPlaces().flatMap((place): AveragedParam[] => {
      const average = this.#of(place)
      return average === undefined ? [] : [[place.param, average]]
    })
    this.#swapped = true
    return new AveragedGuard(pairs, () => (this.#swapped = false))
  }

  /** Throws while the parameters hold their averages. */
  refuse(what: string): void {
    if (this.#swapped)
      throw new FirnError('argument', `${what}: the parameters hold their averages; end the guard that averaged() gave first`)
  }

  #of({ at }: Place): Tensor<DType> | undefined {
    return this.#stepper.slots(at).find(([slot]) => slot === 'average')?.[1]
  }

  #check(what: string): void {
    if (this.#average === null)
      throw new FirnError('argument', `${what}: this optimizer keeps no averages; make it with average: optim.ema() or optim.swa()`)
  }
}

/** Runs `fn` under a guard, which ends when `fn` does, or the promise that it gives. */
export function under<T>(guard: Disposable, fn: () => T): T {
  const end = (): void => guard[Symbol.dispose]()
  try {
    const result = fn()
    if (result instanceof Promise) void result.then(end, end)
    else end()
    return result
  } catch (error) {
    end()
    throw error
  }
}
