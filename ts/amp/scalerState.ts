// The options of a GradScaler and its state as it is saved.
import { FirnError } from '../errors.ts'

/** Numbers that say how a scale moves. */
export interface ScalerOptions {
  /** The first scale. @default 65536 */
  initScale: number
  /** What the scale is multiplied by to raise it, > 1. @default 2 */
  growthFactor: number
  /** What the scale is multiplied by to lower it, between 0 and 1. @default 0.5 */
  backoffFactor: number
  /** Iterations in a row without infinities that raise the scale. @default 2000 */
  growthInterval: number
  /** Overflows that lower the scale: those before only count, until the scale grows again. @default 1 */
  hysteresis: number
  /** The least scale; an overflow there is an error. 0 is off. @default 0 */
  minScale: number
}

/** Options of a `GradScaler`. */
export interface GradScalerOptions extends Readonly<Partial<ScalerOptions>> {
  /** Whether to scale at all. @default true */
  readonly enabled?: boolean
}

/** The state of a `GradScaler`, under PyTorch's names; the last three are ours. */
export type ScalerState = {
  readonly scale: number
  readonly growth_factor: number
  readonly backoff_factor: number
  readonly growth_interval: number
  readonly _growth_tracker: number
  readonly hysteresis: number
  readonly min_scale: number
  readonly _hysteresis_tracker: number
}

export const defaults: Readonly<ScalerOptions> = {
  initScale: 65536,
  growthFactor: 2,
  backoffFactor: 0.5,
  growthInterval: 2000,
  hysteresis: 1,
  minScale: 0,
}

const ranges: Readonly<Record<keyof ScalerOptions, readonly [holds: (value: number) => boolean, text: string]>> = {
  initScale: [(x) => x > 0 && Number.isFinite(x), 'a number > 0'],
  growthFactor: [(x) => x > 1, 'a number > 1'],
  backoffFactor: [(x) => x > 0 && x < 1, 'between 0 and 1'],
  growthInterval: [(x) => Number.isInteger(x) && x >= 1, 'a whole number from 1'],
  hysteresis: [(x) => Number.isInteger(x) && x >= 1, 'a whole number from 1'],
  minScale: [(x) => x >= 0 && Number.isFinite(x), 'a number >= 0'],
}

/** Complete options. */
export function readOptions(given: Readonly<Partial<ScalerOptions>>): ScalerOptions {
  const options = { ...defaults, ...given }
  for (const name of optionNames) {
    const [holds, text] = ranges[name]
    if (!holds(options[name])) throw new FirnError('argument', `GradScaler: ${name} must be ${text}, got ${options[name]}`)
  }
  return options
}

const optionNames = ['initScale', 'growthFactor', 'backoffFactor', 'growthInterval', 'hysteresis', 'minScale'] as const

/** A saved state; what PyTorch's does not have is as in `now`. */
export function readState(state: object, now: ScalerOptions) {
  const saved: Readonly<Record<string, unknown>> = { ...state }
  if (Object.keys(saved).length === 0) {
    throw new FirnError(
      'argument',
      'GradScaler.loadStateDict: the state is empty, as that of a disabled scaler; make this one with { enabled: false }',
    )
  }
  const number = (key: string, otherwise?: number): number => {
    const value = saved[key] ?? otherwise
    if (typeof value === 'number') return value
    throw new FirnError(
      'argument',
      `GradScaler.loadStateDict: '${key}' is ${value === undefined ? 'missing' : JSON.stringify(value)}, expected a number`,
    )
  }
  const options = readOptions({
    ...now,
    growthFactor: number('growth_factor'),
    backoffFactor: number('backoff_factor'),
    growthInterval: number('growth_interval'),
    hysteresis: number('hysteresis', now.hysteresis),
    minScale: number('min_scale', now.minScale),
  })
  return {
    ...options,
    scale: Math.fround(number('scale')),
    growthTracker: number('_growth_tracker'),
    hysteresisTracker: number('_hysteresis_tracker', options.hysteresis),
  }
}
