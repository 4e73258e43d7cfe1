// The closed forms: what each kind of schedule takes, and its value at any step.

/** Numbers every schedule with a start has. */
export interface Start {
  /** Value at the start, after the warm-up. */
  readonly from: number
  /** Steps in which the value first rises to `from`, in equal parts. @default 0 */
  readonly warmup?: number
}

/** Numbers of a schedule that goes from one value to another. */
export interface Ramp extends Start {
  /** Value at the end and from then on. @default 0 */
  readonly to?: number
  /** Steps until `to`, warm-up included. */
  readonly steps: number
}

/** Numbers of `step`: stairs of equal length. */
export interface Stairs extends Start {
  /** Steps on each stair. */
  readonly every: number
  /** Factor from one stair to the next. @default 0.1 */
  readonly gamma?: number
}

/** Numbers of `multiStep`: stairs at given steps. */
export interface Milestones extends Start {
  /** The steps, counted after the warm-up, at which the value falls; one that stands twice counts twice. */
  readonly milestones: readonly number[]
  /** Factor at each milestone. @default 0.1 */
  readonly gamma?: number
}

/** Numbers of `exponential`. */
export interface Decay extends Start {
  /** Factor of each step. */
  readonly gamma: number
}

/** Numbers of `polynomial`. */
export interface Power extends Ramp {
  /** Power of the share that is left. @default 1 */
  readonly power?: number
}

/** Numbers of `cosineRestarts`. */
export interface Restarts extends Start {
  /** Value at the end of each period. @default 0 */
  readonly to?: number
  /** Steps of the first period. */
  readonly steps: number
  /** Factor from one period to the next. @default 1 */
  readonly factor?: number
}

/** Numbers of `cyclic`. */
export interface Cycle {
  /** Value at the foot of a cycle. */
  readonly low: number
  /** Value at the top of the first. */
  readonly high: number
  /** Steps up. @default 2000 */
  readonly up?: number
  /** Steps down. @default `up` */
  readonly down?: number
  /** Tops that stay, halve with each cycle, or fall by `gamma` with each step. @default 'triangular' */
  readonly mode?: 'triangular' | 'triangular2' | 'expRange'
  /** Factor of each step in mode `expRange`. @default 1 */
  readonly gamma?: number
}

/** Numbers of `oneCycle`. */
export interface OneCycle {
  /** The highest value. */
  readonly max: number
  /** Steps in all. */
  readonly steps: number
  /** Share of the steps that rise. @default 0.3 */
  readonly pctStart?: number
  /** The first value is `max / div`. @default 25 */
  readonly div?: number
  /** The last is that over `finalDiv`. @default 1e4 */
  readonly finalDiv?: number
  /** @default 'cos' */
  readonly anneal?: 'cos' | 'linear'
  /** Fall as long as the rise, and then on to the last value. @default false */
  readonly threePhase?: boolean
}

/** Numbers of `oneCycleMomentum`, which mirrors `oneCycle`. */
export interface OneCycleMomentum extends Pick<OneCycle, 'steps' | 'pctStart' | 'anneal' | 'threePhase'> {
  /** Value at the start and at the end. @default 0.95 */
  readonly high?: number
  /** Value where the rate is highest. @default 0.85 */
  readonly low?: number
}

/** Numbers of `inverseSqrt`. */
export interface InverseSqrt extends Start {
  /** Steps after which the value has fallen to `from / sqrt(2)`. @default 10000 */
  readonly timescale?: number
}

/** Numbers of `warmupStableDecay`. */
export interface StableDecay extends Ramp {
  /** Steps of the fall at the end. */
  readonly decay: number
  /** @default 'linear' */
  readonly shape?: 'linear' | 'cosine' | 'sqrt'
}

/** Numbers of `noam`. */
export interface Noam {
  /** Width of the model. */
  readonly size: number
  /** Steps that rise. */
  readonly warmup: number
  /** @default 1 */
  readonly factor?: number
}

/** Numbers of `tanh`. */
export interface Tanh extends Ramp {
  /** Where the hyperbolic tangent begins and ends. @default -7 */
  readonly low?: number
  /** @default 3 */
  readonly high?: number
}

/** What each kind takes. */
export interface Forms {
  readonly constant: Start
  readonly linear: Ramp
  readonly cosine: Ramp
  readonly step: Stairs
  readonly multiStep: Milestones
  readonly exponential: Decay
  readonly polynomial: Power
  readonly cosineRestarts: Restarts
  readonly cyclic: Cycle
  readonly oneCycle: OneCycle
  readonly oneCycleMomentum: OneCycleMomentum
  readonly inverseSqrt: InverseSqrt
  readonly warmupStableDecay: StableDecay
  readonly noam: Noam
  readonly tanh: Tanh
}

export type FormKind = keyof Forms

/** A number, word, flag or list that a schedule is made of. */
export type Value = number | string | boolean | readonly number[]

/** What a value must be: a number, one of 0 or more, a count, a count from 1, a share, a list of counts, a flag, or one of some words. */
export type Check = 'number' | '>= 0' | '> 0' | 'count' | 'count >= 1' | 'share' | 'counts' | 'flag' | readonly string[]

interface Form<T> {
  /** Every value with its default, null where it has to be given, and what it must be. */
  readonly values: { readonly [N in keyof Required<T>]: readonly [fallback: Value | null, check: Check] }
  /** The value `t` steps after the warm-up. */
  at(values: Required<T>, t: number): number
}

const from = [null, '>= 0'] as const
const warmup = [0, 'count'] as const
const start = { from, warmup }
const ramp = { from, to: [0, '>= 0'], steps: [null, 'count >= 1'], warmup } as const

/** How far a ramp is, from 0 to 1. */
const progress = ({ steps, warmup }: Required<Ramp>, t: number): number => Math.min(t / (steps - warmup), 1)

const cosine = (a: number, b: number, share: number): number => b + ((a - b) * (1 + Math.cos(Math.PI * share))) / 2
const line = (a: number, b: number, share: number): number => a + (b - a) * share

/** Value at step `t` of a course through `heights`, which it reaches at `ends`. */
function course(heights: readonly number[], ends: readonly number[], anneal: 'cos' | 'linear', t: number): number {
  const last = ends.length - 1
  const phase = Math.min(
    ends.findIndex((end) => t <= end),
    last,
  )
  const i = phase < 0 ? last : phase
  const begin = i === 0 ? 0 : (ends[i - 1] ?? 0)
  const share = Math.min((t - begin) / ((ends[i] ?? 0) - begin), 1)
  return (anneal === 'cos' ? cosine : line)(heights[i] ?? 0, heights[i + 1] ?? 0, share)
}

/** The last step of each phase of a cycle. */
const phases = ({ steps, pctStart, threePhase }: Required<Pick<OneCycle, 'steps' | 'pctStart' | 'threePhase'>>): number[] =>
  threePhase ? [pctStart * steps - 1, 2 * pctStart * steps - 2, steps - 1] : [pctStart * steps - 1, steps - 1]

/** The period that step `t` lies in, when each is `factor` times as long as the one before: `[steps into it, its length]`. */
function period(t: number, steps: number, factor: number): [at: number, length: number] {
  if (factor === 1) return [t % steps, steps]
  const n = Math.floor(Math.log((t / steps) * (factor - 1) + 1) / Math.log(factor) + 1e-12)
  const begin = (steps * (factor ** n - 1)) / (factor - 1)
  return [t - begin, steps * factor ** n]
}

export const forms: { readonly [K in FormKind]: Form<Forms[K]> } = {
  constant: { values: start, at: ({ from }) => from },
  linear: { values: ramp, at: (n, t) => line(n.from, n.to, progress(n, t)) },
  cosine: { values: ramp, at: (n, t) => cosine(n.from, n.to, progress(n, t)) },
  step: {
    values: { from, every: [null, 'count >= 1'], gamma: [0.1, '>= 0'], warmup },
    at: ({ from, every, gamma }, t) => from * gamma ** Math.floor(t / every),
  },
  multiStep: {
    values: { from, milestones: [null, 'counts'], gamma: [0.1, '>= 0'], warmup },
    at: ({ from, milestones, gamma }, t) => from * gamma ** milestones.filter((milestone) => milestone <= t).length,
  },
  exponential: { values: { from, gamma: [null, '>= 0'], warmup }, at: ({ from, gamma }, t) => from * gamma ** t },
  polynomial: {
    values: { ...ramp, power: [1, '> 0'] },
    at: (n, t) => n.to + (n.from - n.to) * (1 - progress(n, t)) ** n.power,
  },
  cosineRestarts: {
    values: { ...ramp, factor: [1, 'count >= 1'] },
    at: ({ from, to, steps, factor }, t) => {
      const [at, length] = period(t, steps, factor)
      return cosine(from, to, at / length)
    },
  },
  cyclic: {
    values: {
      low: [null, '>= 0'],
      high: [null, '>= 0'],
      up: [2000, 'count >= 1'],
      down: [0, 'count'],
      mode: ['triangular', ['triangular', 'triangular2', 'expRange']],
      gamma: [1, '> 0'],
    },
    at: ({ low, high, up, down, mode, gamma }, t) => {
      const length = up + (down || up)
      const cycle = Math.floor(t / length)
      const at = t - cycle * length
      const height = (high - low) * (at <= up ? at / up : (length - at) / (length - up))
      return low + height * { triangular: 1, triangular2: 2 ** -cycle, expRange: gamma ** t }[mode]
    },
  },
  oneCycle: {
    values: {
      max: [null, '>= 0'],
      steps: [null, 'count >= 1'],
      pctStart: [0.3, 'share'],
      div: [25, '> 0'],
      finalDiv: [1e4, '> 0'],
      anneal: ['cos', ['cos', 'linear']],
      threePhase: [false, 'flag'],
    },
    at: (n, t) => {
      const [first, last] = [n.max / n.div, n.max / n.div / n.finalDiv]
      return course(n.threePhase ? [first, n.max, first, last] : [first, n.max, last], phases(n), n.anneal, t)
    },
  },
  oneCycleMomentum: {
    values: {
      high: [0.95, 'share'],
      low: [0.85, 'share'],
      steps: [null, 'count >= 1'],
      pctStart: [0.3, 'share'],
      anneal: ['cos', ['cos', 'linear']],
      threePhase: [false, 'flag'],
    },
    at: (n, t) => course(n.threePhase ? [n.high, n.low, n.high, n.high] : [n.high, n.low, n.high], phases(n), n.anneal, t),
  },
  inverseSqrt: {
    values: { from, timescale: [10_000, '> 0'], warmup },
    at: ({ from, timescale }, t) => from / Math.sqrt(1 + t / timescale),
  },
  warmupStableDecay: {
    values: { ...ramp, decay: [null, 'count >= 1'], shape: ['linear', ['linear', 'cosine', 'sqrt']] },
    at: ({ from, to, steps, warmup, decay, shape }, t) => {
      const share = Math.min(Math.max(t - (steps - warmup - decay), 0) / decay, 1)
      return shape === 'cosine' ? cosine(from, to, share) : line(from, to, shape === 'sqrt' ? Math.sqrt(share) : share)
    },
  },
  noam: {
    values: { size: [null, 'count >= 1'], warmup: [null, 'count >= 1'], factor: [1, '>= 0'] },
    at: ({ size, warmup, factor }, t) => (factor / Math.sqrt(size)) * Math.min((t + 1) ** -0.5, (t + 1) * warmup ** -1.5),
  },
  tanh: {
    values: { ...ramp, low: [-7, 'number'], high: [3, 'number'] },
    at: (n, t) => {
      const share = progress(n, t)
      return n.to + ((n.from - n.to) * (1 - Math.tanh(n.low * (1 - share) + n.high * share))) / 2
    },
  },
}

export const isFormKind = (kind: unknown): kind is FormKind => typeof kind === 'string' && Object.hasOwn(forms, kind)
