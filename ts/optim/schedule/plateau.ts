// Plateau: a hyper-parameter that falls when a metric no longer gets better.
import { FirnError } from '../../errors.ts'
import { complete } from './check.ts'
import type { Check, Value } from './forms.ts'

/** Numbers of `plateau`. */
export interface PlateauOptions {
  /** Value at the start. */
  readonly from: number
  /** Factor of each fall. @default 0.1 */
  readonly factor?: number
  /** Observations without progress that are let pass. @default 10 */
  readonly patience?: number
  /** What counts as progress. @default 1e-4 */
  readonly threshold?: number
  /** Whether `threshold` is a share of the best metric, or a difference from it. @default 'rel' */
  readonly thresholdMode?: 'rel' | 'abs'
  /** Whether a better metric is a lower or a higher one. @default 'min' */
  readonly mode?: 'min' | 'max'
  /** Observations after a fall that do not count. @default 0 */
  readonly cooldown?: number
  /** The least value. @default 0 */
  readonly min?: number
  /** A fall by no more than this is left out. @default 1e-8 */
  readonly eps?: number
}

const values = {
  from: [null, '>= 0'],
  factor: [0.1, 'share'],
  patience: [10, 'count'],
  threshold: [1e-4, '>= 0'],
  thresholdMode: ['rel', ['rel', 'abs']],
  mode: ['min', ['min', 'max']],
  cooldown: [0, 'count'],
  min: [0, '>= 0'],
  eps: [1e-8, '>= 0'],
} as const satisfies Record<keyof PlateauOptions, readonly [Value | null, Check]>

/** Where a plateau stands. */
export type PlateauState = {
  readonly value: number
  /** The best metric so far; null before the first. */
  readonly best: number | null
  /** Observations without progress. */
  readonly bad: number
  /** Observations that still do not count. */
  readonly cooldown: number
}

/** A hyper-parameter that follows a metric: a frozen value; how it stands is with the group that it belongs to. Made by `plateau`. */
export class Plateau {
  readonly numbers: Readonly<Record<string, Value>>

  constructor(options: PlateauOptions) {
    this.numbers = complete('plateau', values, options)
    if (this.#number('factor') >= 1) throw new FirnError('argument', `plateau: factor must be less than 1, got ${this.#number('factor')}`)
    Object.freeze(this)
  }

  /** The plateau that `toJSON` saved. */
  static fromJSON(json: object): Plateau {
    const numbers = Object.fromEntries(Object.entries(json).filter(([name]) => name !== 'kind'))
    return new Plateau({ from: NaN, ...numbers })
  }

  #number(name: keyof PlateauOptions): number {
    return Number(this.numbers[name])
  }

  /** How it stands before the first observation. */
  start(): PlateauState {
    return { value: this.#number('from'), best: null, bad: 0, cooldown: 0 }
  }

  /** How it stands after one more metric. */
  observe(before: PlateauState, metric: number): PlateauState {
    const better = this.#isBetter(metric, before.best)
    const cooling = before.cooldown > 0
    const state = {
      value: before.value,
      best: better ? metric : before.best,
      bad: better || cooling ? 0 : before.bad + 1,
      cooldown: cooling ? before.cooldown - 1 : 0,
    }
    if (state.bad <= this.#number('patience')) return state
    const lower = Math.max(before.value * this.#number('factor'), this.#number('min'))
    const value = before.value - lower > this.#number('eps') ? lower : before.value
    return { ...state, value, bad: 0, cooldown: this.#number('cooldown') }
  }

  #isBetter(metric: number, best: number | null): boolean {
    const { mode, thresholdMode } = this.numbers
    const sign = mode === 'min' ? -1 : 1
    if (best === null) return Number.isFinite(metric) || metric === sign * Infinity
    const threshold = this.#number('threshold')
    const bound = thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold
    return sign * metric > sign * bound
  }

  equals(other: unknown): boolean {
    return other instanceof Plateau && JSON.stringify(this) === JSON.stringify(other)
  }

  toJSON(): { readonly kind: 'plateau'; readonly [name: string]: Value } {
    return { kind: 'plateau', ...this.numbers }
  }

  toString(): string {
    const parts = Object.entries(this.numbers).map(
      ([name, value]) => `${name}: ${typeof value === 'string' ? `'${value}'` : String(value)}`,
    )
    return `plateau({ ${parts.join(', ')} })`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/**
 * Falls by `factor` when a metric has not got better for more than `patience` observations, as PyTorch's `ReduceLROnPlateau`; the metric
 * comes through `opt.observe`.
 * @example
 * const opt = optim.sgd({ lr: optim.plateau({ from: 0.1, patience: 0 }) }).bind(new nn.Linear(2, 1))
 * opt.observe(1)
 * opt.observe(1)
 * opt.paramGroups[0].lr // 0.01
 */
export const plateau = (options: PlateauOptions): Plateau => new Plateau(options)
