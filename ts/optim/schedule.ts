// Learning rates as functions of the step: frozen values in closed form, so that they print, compare, save and resume.
import { checkOptions, FirnError } from '../errors.ts'

/** Numbers of a schedule that goes from one rate to another. */
export interface Ramp {
  /** Rate at the start, after the warm-up. */
  readonly from: number
  /** Rate at the end and from then on. @default 0 */
  readonly to?: number
  /** Steps until `to`, warm-up included. */
  readonly steps: number
  /** Steps in which the rate first rises to `from`, in equal parts. @default 0 */
  readonly warmup?: number
}

/** Numbers of a schedule that falls in stairs. */
export interface Stairs {
  /** Rate at the start, after the warm-up. */
  readonly from: number
  /** Steps on each stair. */
  readonly every: number
  /** Factor from one stair to the next. @default 0.1 */
  readonly gamma?: number
  /** Steps in which the rate first rises to `from`, in equal parts. @default 0 */
  readonly warmup?: number
}

/** Numbers of a schedule that stays where it is. */
export interface Plain {
  /** The rate after the warm-up. */
  readonly from: number
  /** Steps in which the rate first rises to `from`, in equal parts. @default 0 */
  readonly warmup?: number
}

interface Kinds {
  readonly constant: Required<Plain>
  readonly linear: Required<Ramp>
  readonly cosine: Required<Ramp>
  readonly step: Required<Stairs>
}

/** The names of the schedules. */
export type ScheduleKind = keyof Kinds

/** A schedule as it is saved. */
export type ScheduleJson = { readonly kind: ScheduleKind; readonly [name: string]: string | number }

// What is null has to be given.
const defaults: { readonly [K in ScheduleKind]: Readonly<Record<keyof Kinds[K], number | null>> } = {
  constant: { from: null, warmup: 0 },
  linear: { from: null, to: 0, steps: null, warmup: 0 },
  cosine: { from: null, to: 0, steps: null, warmup: 0 },
  step: { from: null, every: null, gamma: 0.1, warmup: 0 },
}

// The rate `t` steps after the warm-up.
const forms: { readonly [K in ScheduleKind]: (numbers: Kinds[K], t: number) => number } = {
  constant: ({ from }) => from,
  linear: ({ from, to, steps, warmup }, t) => from + (to - from) * Math.min(t / (steps - warmup), 1),
  cosine: ({ from, to, steps, warmup }, t) => to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(t / (steps - warmup), 1)))) / 2,
  step: ({ from, every, gamma }, t) => from * gamma ** Math.floor(t / every),
}

/** A learning rate as a function of the step, made by `constant`, `linear`, `cosine` or `step`. */
export class Schedule<K extends ScheduleKind = ScheduleKind> {
  readonly kind: K
  readonly numbers: Kinds[K]

  constructor(kind: K, numbers: object) {
    checkOptions(kind, numbers, Object.keys(defaults[kind]))
    const complete: object = { ...defaults[kind], ...numbers }
    checkNumbers(kind, complete)
    Object.freeze(complete)
    this.kind = kind
    this.numbers = complete
    Object.freeze(this)
  }

  /** The schedule that `toJSON` saved. */
  static fromJSON(json: unknown): Schedule {
    if (typeof json === 'object' && json !== null && 'kind' in json) {
      const { kind, ...numbers } = json
      if (isKind(kind)) return new Schedule(kind, numbers)
    }
    throw new FirnError(
      'argument',
      `Schedule.fromJSON: not a saved schedule: ${JSON.stringify(json)}; known kinds: ${Object.keys(defaults).join(', ')}`,
    )
  }

  /**
   * The rate of update number `step`, counted from 0.
   *
   * @example
   * optim.linear({ from: 1, steps: 10 }).at(5) // 0.5
   */
  at(step: number): number {
    const { from, warmup } = this.numbers
    return step < warmup ? (from * (step + 1)) / (warmup + 1) : forms[this.kind](this.numbers, step - warmup)
  }

  /** Whether `other` gives the same rates for the same reason. */
  equals(other: unknown): boolean {
    return other instanceof Schedule && JSON.stringify(this) === JSON.stringify(other)
  }

  toJSON(): ScheduleJson {
    return { kind: this.kind, ...this.numbers }
  }

  toString(): string {
    const numbers = Object.entries(this.numbers).map(([name, value]) => `${name}: ${value}`)
    return `${this.kind}({ ${numbers.join(', ')} })`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** The same rate throughout, after a warm-up. @example optim.constant({ from: 1e-3, warmup: 100 }) */
export const constant = (numbers: Plain): Schedule<'constant'> => new Schedule('constant', numbers)

/** A straight line from one rate to another. @example optim.linear({ from: 1e-3, steps: 1000 }) */
export const linear = (numbers: Ramp): Schedule<'linear'> => new Schedule('linear', numbers)

/** Half a cosine wave from one rate to another (Loshchilov & Hutter, 2017). @example optim.cosine({ from: 1e-3, steps: 1800, warmup: 100 }) */
export const cosine = (numbers: Ramp): Schedule<'cosine'> => new Schedule('cosine', numbers)

/** Stairs: `from * gamma ** floor(step / every)`. @example optim.step({ from: 0.1, every: 30 }) */
export const step = (numbers: Stairs): Schedule<'step'> => new Schedule('step', numbers)

const isKind = (kind: unknown): kind is ScheduleKind => typeof kind === 'string' && Object.hasOwn(defaults, kind)

function checkNumbers<K extends ScheduleKind>(kind: K, numbers: object): asserts numbers is Kinds[K] {
  for (const [name, value] of Object.entries(numbers)) {
    const whole = name === 'steps' || name === 'every' || name === 'warmup'
    const least = name === 'steps' || name === 'every' ? 1 : 0
    if (typeof value !== 'number' || !Number.isFinite(value) || value < least || (whole && !Number.isInteger(value))) {
      throw new FirnError('argument', `${kind}: ${name} must be a ${whole ? 'whole ' : ''}number >= ${least}, got ${String(value)}`)
    }
  }
  const { steps, warmup } = { steps: Infinity, warmup: 0, ...numbers }
  if (warmup >= steps) throw new FirnError('argument', `${kind}: warmup (${warmup}) must be less than steps (${steps})`)
}
