// Running averages of parameters: how much of a new value enters at which update, as a value that prints, compares and saves.
import { FirnError } from '../errors.ts'
import { complete } from './schedule/check.ts'

/** When an average takes a value in. */
interface Pace {
  /** The first update that is averaged, counted from 0. @default 0 */
  readonly start?: number
  /** Updates from one that is averaged to the next. @default 1 */
  readonly every?: number
}

/** Options of `optim.ema`. */
export interface EmaOptions extends Pace {
  /** Share of the average that is kept at each update. @default 0.999 */
  readonly decay?: number
  /** Begin with less: the n-th average, counted from 0, keeps at most `(1 + n) / (10 + n)`. @default false */
  readonly warmup?: boolean
}

/** Options of `optim.swa`. */
export type SwaOptions = Pace

type Values = Readonly<Record<string, unknown>>

const pace = { start: [0, 'count'], every: [1, 'count >= 1'] } as const

/** The options of each kind, and the share of a new value in the n-th average; the first is a copy. */
const kinds = {
  ema: {
    options: { decay: [0.999, 'share'], warmup: [false, 'flag'], ...pace },
    share: ({ decay, warmup }: Values, n: number): number => 1 - Math.min(Number(decay), warmup === true ? (1 + n) / (10 + n) : 1),
  },
  swa: { options: pace, share: (_: Values, n: number): number => 1 / (n + 1) },
} as const

/** The kinds of running averages. */
export type AverageKind = keyof typeof kinds

/** An average as it is saved. */
export type AverageJson = { readonly kind: AverageKind; readonly [option: string]: unknown }

/** A running average of the parameters, made by `optim.ema` or `optim.swa` and given to an optimizer as `average`. */
export class Average {
  readonly kind: AverageKind
  readonly options: Values

  /** Averages are made by the functions named after their kinds. */
  constructor(kind: AverageKind, given: object) {
    this.kind = kind
    this.options = complete(kind, kinds[kind].options, given)
    Object.freeze(this)
  }

  /** The average that `toJSON` saved. */
  static fromJSON(json: unknown): Average {
    const { kind, ...options }: Values = typeof json === 'object' ? { ...json } : {}
    if (kind === 'ema' || kind === 'swa') return new Average(kind, options)
    throw new FirnError('argument', `Average.fromJSON: not a saved average: ${JSON.stringify(json)}`)
  }

  /**
   * The share of the new value at update number `step`, counted from 0; 0 where the average rests.
   * @example
   * optim.swa({ start: 10, every: 5 }).weightAt(15) // 0.5
   */
  weightAt(step: number): number {
    const { start, every } = this.options
    const after = step - Number(start)
    if (after < 0 || after % Number(every) !== 0) return 0
    const n = after / Number(every)
    return n === 0 ? 1 : kinds[this.kind].share(this.options, n)
  }

  toJSON(): AverageJson {
    return { kind: this.kind, ...this.options }
  }

  toString(): string {
    const parts = Object.entries(this.options).map(([name, value]) => `${name}: ${String(value)}`)
    return `${this.kind}({ ${parts.join(', ')} })`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/**
 * An exponential moving average of the parameters: at each update `average = decay * average + (1 - decay) * value`, from a copy on. As
 * PyTorch's `AveragedModel` with `get_ema_multi_avg_fn`; the warm-up is TensorFlow's. It is computed in the same pass as the update.
 *
 * @example
 * const opt = optim.adamW({ lr: 1e-3, average: optim.ema({ decay: 0.99 }) }).bind(new nn.Linear(2, 1))
 * String(opt.optimizer.average) // 'ema({ decay: 0.99, warmup: false, start: 0, every: 1 })'
 */
export const ema = (options: EmaOptions = {}): Average => new Average('ema', options)

/**
 * Stochastic weight averaging (Izmailov et al., UAI 2018): the plain mean of the values after update `start` and every `every` updates on. As
 * PyTorch's `AveragedModel`.
 *
 * @example
 * optim.swa({ start: 100, every: 10 }).weightAt(99) // 0
 */
export const swa = (options: SwaOptions = {}): Average => new Average('swa', options)
