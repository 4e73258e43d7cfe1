// Schedules: hyper-parameters as functions of the step.
import { checkOptions } from '../../errors.ts'
import type * as Form from './forms.ts'
import { formed, product, rise, type Schedule, sequence } from './schedule.ts'

export type {
  Cycle,
  Decay,
  InverseSqrt,
  Milestones,
  Noam,
  OneCycle,
  OneCycleMomentum,
  Power,
  Ramp,
  Restarts,
  StableDecay,
  Stairs,
  Start,
  Tanh,
} from './forms.ts'
export { Plateau, plateau, type PlateauOptions, type PlateauState } from './plateau.ts'
export { Schedule, type ScheduleJson, type ScheduleKind } from './schedule.ts'

/**
 * The same value throughout, after a warm-up.
 * @example
 * optim.constant({ from: 1e-3, warmup: 4 }).at(1) // 0.0004
 */
export const constant = (numbers: Form.Start): Schedule<'constant'> => formed('constant', numbers)

/**
 * A straight line from one value to another.
 * @example
 * optim.linear({ from: 1, to: 0.5, steps: 10 }).at(5) // 0.75
 */
export const linear = (numbers: Form.Ramp): Schedule<'linear'> => formed('linear', numbers)

/**
 * Half a cosine wave from one value to another, where it stays (Loshchilov and Hutter, 2017); PyTorch's `CosineAnnealingLR` rises again.
 * @example
 * optim.cosine({ from: 1, steps: 10 }).at(5) // 0.5
 */
export const cosine = (numbers: Form.Ramp): Schedule<'cosine'> => formed('cosine', numbers)

/**
 * Stairs: `from * gamma ** floor(step / every)`.
 * @example
 * optim.step({ from: 1, every: 30 }).at(45) // 0.1
 */
export const step = (numbers: Form.Stairs): Schedule<'step'> => formed('step', numbers)

/**
 * Stairs at given steps: `from * gamma ** (milestones that were reached)`.
 * @example
 * optim.multiStep({ from: 1, milestones: [10, 20] }).at(15) // 0.1
 */
export const multiStep = (numbers: Form.Milestones): Schedule<'multiStep'> => formed('multiStep', numbers)

/**
 * `from * gamma ** step`.
 * @example
 * optim.exponential({ from: 1, gamma: 0.5 }).at(3) // 0.125
 */
export const exponential = (numbers: Form.Decay): Schedule<'exponential'> => formed('exponential', numbers)

/**
 * From one value to another by a power of the share that is left.
 * @example
 * optim.polynomial({ from: 1, steps: 10, power: 2 }).at(5) // 0.25
 */
export const polynomial = (numbers: Form.Power): Schedule<'polynomial'> => formed('polynomial', numbers)

/**
 * Half cosine waves one after another, each from `from` to `to` (Loshchilov and Hutter, ICLR 2017).
 * @example
 * optim.cosineRestarts({ from: 1, steps: 10, factor: 2 }).at(20) // 0.5
 */
export const cosineRestarts = (numbers: Form.Restarts): Schedule<'cosineRestarts'> => formed('cosineRestarts', numbers)

/**
 * Up and down between two values in straight lines (Smith, WACV 2017); for a momentum that mirrors the rate, take one with `low` and
 * `high` exchanged.
 * @example
 * optim.cyclic({ low: 0, high: 1, up: 4 }).at(6) // 0.5
 */
export const cyclic = (numbers: Form.Cycle): Schedule<'cyclic'> => formed('cyclic', numbers)

/**
 * Up to `max` and down again below the start, once (Smith and Topin, 2018); stays at its last value, where PyTorch's fails.
 * @example
 * const { max } = { max: 0.1 }
 * const opt = optim.sgd({ lr: optim.oneCycle({ max, steps: 100 }), momentum: optim.oneCycleMomentum({ steps: 100 }) })
 * optim.oneCycle({ max, steps: 100 }).at(29) // 0.1
 */
export const oneCycle = (numbers: Form.OneCycle): Schedule<'oneCycle'> => formed('oneCycle', numbers)

/**
 * The momentum, or first beta, that goes with `oneCycle`: low where the rate is high.
 * @example
 * optim.oneCycleMomentum({ steps: 100 }).at(29) // 0.85
 */
export const oneCycleMomentum = (numbers: Form.OneCycleMomentum): Schedule<'oneCycleMomentum'> => formed('oneCycleMomentum', numbers)

/**
 * `from / sqrt(1 + step / timescale)`, after a warm-up.
 * @example
 * optim.inverseSqrt({ from: 1, timescale: 3 }).at(9) // 0.5
 */
export const inverseSqrt = (numbers: Form.InverseSqrt): Schedule<'inverseSqrt'> => formed('inverseSqrt', numbers)

/**
 * A rise, a plateau, and a fall at the end (Hu et al., "MiniCPM", 2024).
 * @example
 * optim.warmupStableDecay({ from: 1, steps: 100, warmup: 10, decay: 20 }).at(90) // 0.5
 */
export const warmupStableDecay = (numbers: Form.StableDecay): Schedule<'warmupStableDecay'> => formed('warmupStableDecay', numbers)

/**
 * The Transformer's: `factor / sqrt(size)` times the lesser of a line and an inverse square root (Vaswani et al., 2017).
 * @example
 * optim.noam({ size: 4, warmup: 100 }).at(99) // 0.05
 */
export const noam = (numbers: Form.Noam): Schedule<'noam'> => formed('noam', numbers)

/**
 * From one value to another along a hyperbolic tangent (Hsueh et al., 2019), as timm's.
 * @example
 * optim.tanh({ from: 1, steps: 10 }).at(7) // 0.5
 */
export const tanh = (numbers: Form.Tanh): Schedule<'tanh'> => formed('tanh', numbers)

/**
 * One schedule after another: the next begins at its own step 0 when its milestone is reached.
 * @example
 * optim.sequential([optim.linear({ from: 0, to: 1, steps: 10 }), optim.exponential({ from: 1, gamma: 0.5 })], [10]).at(12) // 0.25
 */
export const sequential = (schedules: readonly Schedule[], milestones: readonly number[]): Schedule<'sequential'> =>
  sequence(schedules, milestones)

/**
 * The product of schedules; let all but one begin at 1.
 * @example
 * optim.chained([optim.constant({ from: 0.1 }), optim.exponential({ from: 1, gamma: 0.5 })]).at(1) // 0.05
 */
export const chained = (schedules: readonly Schedule[]): Schedule<'chained'> => product(schedules)

/** Numbers of `warmup`. */
export interface WarmupOptions {
  /** Steps of the rise. */
  readonly steps: number
  /** Share of the schedule's first value that it begins with. @default 0 */
  readonly start?: number
}

/**
 * A straight rise to the first value of any schedule, which begins after it.
 * @example
 * optim.warmup(optim.cosine({ from: 1, steps: 100 }), { steps: 10 }).at(5) // 0.5
 */
export function warmup(schedule: Schedule, options: WarmupOptions): Schedule<'warmup'> {
  checkOptions('warmup', options, ['steps', 'start'])
  return rise(schedule, options.steps, options.start ?? 0)
}
