// Meters that are a function of sums: these stay on the device until somebody asks.
import { noGrad } from '../../autograd/index.ts'
import type { Json } from '../../io/index.ts'
import { type DType, type Tensor, tensor, tensorScope } from '../../tensor/index.ts'
import type { Meter } from './meter.ts'
import { savedNumbers } from './savedNumbers.ts'

/** A meter as sums of some numbers. */
export interface Sums<In extends readonly unknown[], Out extends Json> {
  /** How many numbers are summed up. */
  readonly size: number
  /** What one update adds: `size` numbers in one dimension, of any dtype. */
  terms(...values: In): Tensor<DType>
  /** What the sums come to. */
  result(sums: readonly number[]): Out
}

/** A meter whose state is a list of sums, in float64: counts are exact up to 2^53. */
export class SumMeter<In extends readonly unknown[], Out extends Json> implements Meter<In, Out> {
  readonly #sums: Sums<In, Out>
  /** What the sums begin with, as long as there was no update. */
  #start: readonly number[]
  #total: Tensor<'float64'> | null = null

  constructor(sums: Sums<In, Out>) {
    this.#sums = sums
    this.#start = this.#zeros
  }

  reset(): void {
    this.#begin(this.#zeros)
  }

  update(...values: In): void {
    using scope = tensorScope()
    const terms = noGrad(() => this.#sums.terms(...values).double())
    const before = this.#total
    this.#total = scope.keep((before ?? tensor(this.#start, { dtype: 'float64', device: terms.device })).add(terms))
    before?.dispose()
  }

  async evaluate(): Promise<Out> {
    return this.#sums.result(await this.#read())
  }

  stateDict(): Promise<Json> {
    return this.#read()
  }

  loadStateDict(state: Json): void {
    this.#begin(savedNumbers(state, this.#sums.size))
  }

  get #zeros(): readonly number[] {
    return Array<number>(this.#sums.size).fill(0)
  }

  #begin(start: readonly number[]): void {
    this.#total?.dispose()
    this.#total = null
    this.#start = start
  }

  // The sums on the device stay as they are: a run that is saved adds up in the same order as one that is not.
  async #read(): Promise<number[]> {
    return this.#total === null ? [...this.#start] : Array.from(await this.#total.data())
  }
}
