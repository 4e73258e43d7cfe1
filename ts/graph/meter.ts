// What a meter is, and the one that all simple meters are: numbers read late from the device and folded into a state.
import { noGrad } from '../autograd/index.ts'
import { FirnError } from '../errors.ts'
import type { Json } from '../io/index.ts'
import { type DType, type Tensor, tensorScope } from '../tensor/index.ts'
import { type Held, hold, join } from './held.ts'

/** Sums up what it is given. */
export interface Meter<In extends readonly unknown[], Out extends Json = Json> {
  /** Forgets everything. */
  reset(): void
  /** Takes the values of one iteration, without waiting for the device. */
  update(...values: In): void
  /** What the values since `reset` amount to. */
  evaluate(): Promise<Out>
  /** What a checkpoint keeps. */
  stateDict(): Promise<Json>
  /** Takes over what `stateDict` gave. */
  loadStateDict(state: Json): void
}

/** What one update comes to: one number or several, and the weight of each. */
export interface Entry {
  readonly value: number | Tensor<DType>
  readonly count: number
}

/** A meter as a fold over numbers. */
export interface Fold<In extends readonly unknown[], Out extends Json> {
  /** The state before the first value. */
  readonly start: readonly number[]
  entry(...values: In): Entry
  /** Takes one number into the state. */
  add(state: number[], value: number, count: number): void
  result(state: readonly number[]): Out
}

interface Waiting {
  readonly value: number | Held
  readonly count: number
}

// So many updates may wait on the device before they are read though nobody asked.
const patience = 256

/** A meter whose state is a list of numbers. */
export class FoldMeter<In extends readonly unknown[], Out extends Json> implements Meter<In, Out> {
  readonly #fold: Fold<In, Out>
  #state: number[]
  #waiting: Waiting[] = []

  constructor(fold: Fold<In, Out>) {
    this.#fold = fold
    this.#state = [...fold.start]
  }

  reset(): void {
    for (const { value } of this.#waiting) if (typeof value !== 'number') value.tensor.dispose()
    this.#waiting = []
    this.#state = [...this.#fold.start]
  }

  update(...values: In): void {
    using _ = tensorScope()
    const { value, count } = noGrad(() => this.#fold.entry(...values))
    this.#waiting.push({ value: typeof value === 'number' ? value : hold(value), count })
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
    if (!(Array.isArray(state) && state.every((item) => typeof item === 'number'))) {
      throw new FirnError('io', `meter: the saved state is ${JSON.stringify(state)}, expected a list of numbers`)
    }
    this.reset()
    this.#state = [...state]
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
    for (const { value, count } of entries) {
      if (typeof value === 'number') this.#fold.add(this.#state, value, count)
      else for (const end = at + value.size; at < end; at++) this.#fold.add(this.#state, Number(numbers[at]), count)
    }
  }
}
