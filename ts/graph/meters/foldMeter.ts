// Meters that take one number after another into a state; numbers on the device are read late, many at once.
import { FirnError } from '../../errors.ts'
import type { Json } from '../../io/index.ts'
import type { DType, Tensor } from '../../tensor/index.ts'
import { type Held, hold, join } from '../held.ts'
import type { Meter } from './meter.ts'
import { savedNumbers } from './savedNumbers.ts'

/** A number, or a tensor of one element. */
export type Scalar = number | Tensor<DType>

/** A meter as a fold over numbers, each with a weight. */
export interface Fold<Out extends Json> {
  /** The state before the first value. */
  readonly start: readonly number[]
  /** Takes one number into the state. */
  add(state: number[], value: number, count: number): void
  result(state: readonly number[]): Out
}

interface Waiting {
  readonly value: number | Held
  readonly count: number
}

// A task of steps without epochs never asks; so many values may wait on the device until they are read all the same.
const patience = 256

/** A meter whose state is a list of numbers. */
export class FoldMeter<Out extends Json> implements Meter<[value: Scalar, count?: number], Out> {
  readonly #fold: Fold<Out>
  #state: number[]
  #waiting: Waiting[] = []

  constructor(fold: Fold<Out>) {
    this.#fold = fold
    this.#state = [...fold.start]
  }

  reset(): void {
    for (const { value } of this.#waiting) if (typeof value !== 'number') value.tensor.dispose()
    this.#waiting = []
    this.#state = [...this.#fold.start]
  }

  update(value: Scalar, count = 1): void {
    this.#waiting.push({ value: typeof value === 'number' ? value : hold(single(value)), count })
    if (this.#waiting.length < patience) return
    const { entries, joined } = this.#take()
    this.#add(entries, joined?.dataSync())
    joined?.dispose()
  }

  async evaluate(): Promise<Out> {
    await this.#read()
    return this.#fold.result(this.#state)
  }

  async stateDict(): Promise<Json> {
    await this.#read()
    return [...this.#state]
  }

  loadStateDict(state: Json): void {
    const saved = savedNumbers(state)
    this.reset()
    this.#state = saved
  }

  async #read(): Promise<void> {
    const { entries, joined } = this.#take()
    this.#add(entries, await joined?.data())
    joined?.dispose()
  }

  // What waits, with all its numbers in one tensor, to be read at once.
  #take(): { entries: readonly Waiting[]; joined: Tensor<DType> | undefined } {
    const entries = this.#waiting
    this.#waiting = []
    const held = entries.map(({ value }) => value).filter((value) => typeof value !== 'number')
    return { entries, joined: held.length === 0 ? undefined : join(held) }
  }

  #add(entries: readonly Waiting[], numbers: ArrayLike<number | bigint> = []): void {
    let at = 0
    for (const { value, count } of entries) this.#fold.add(this.#state, typeof value === 'number' ? value : Number(numbers[at++]), count)
  }
}

function single(value: Tensor<DType>): Tensor<DType> {
  if (value.size === 1) return value
  throw new FirnError(
    'shape',
    `meter: got a tensor of shape [${value.shape.join(', ')}], expected one number; take its mean() or sum() first`,
  )
}
