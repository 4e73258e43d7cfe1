// Meters of one number an iteration.
import { FirnError } from '../../errors.ts'
import { type Fold, FoldMeter, type Scalar } from './foldMeter.ts'
import type { Meter } from './meter.ts'

/**
 * The last value. NaN before the first.
 *
 * @example
 * new MetricNode({ meter: meter.value(), forward: (_, x) => [x.loss] })
 */
export function value(): Meter<[value: Scalar], number> {
  return new FoldMeter({
    start: [NaN],
    add: (state, value) => void (state[0] = value),
    result: ([last = NaN]) => last,
  })
}

/**
 * The sum of the values.
 *
 * @example
 * new MetricNode({ meter: meter.sum(), forward: (_, x) => [x.mnist.label.size] })
 */
export function sum(): Meter<[value: Scalar], number> {
  return new FoldMeter({
    start: [0],
    add: (state, value) => void (state[0] = (state[0] ?? 0) + value),
    result: ([total = 0]) => total,
  })
}

/**
 * The mean of the values, each weighed by `count` (1 unless given). NaN before the first.
 *
 * @example
 * new MetricNode({ meter: meter.average(), forward: (_, x) => [x.loss, x.mnist.label.size] })
 */
export function average(): Meter<[value: Scalar, count?: number], number> {
  return new FoldMeter({ ...weighed, result: ratio })
}

/**
 * The mean of the last `window` values. NaN before the first.
 *
 * @example
 * new MetricNode({ meter: meter.movingAverage(100), forward: (_, x) => [x.loss] })
 */
export function movingAverage(window: number): Meter<[value: Scalar], number> {
  if (!Number.isInteger(window) || window < 1)
    throw new FirnError('argument', `meter.movingAverage: window ${window}, expected a whole number from 1`)
  return new FoldMeter({
    start: [],
    add: (state, value) => {
      state.push(value)
      if (state.length > window) state.shift()
    },
    result: (state) => state.reduce((total, value) => total + value, 0) / state.length,
  })
}

/**
 * The exponential of the mean loss: among how many tokens a language model is undecided. Takes the mean cross entropy of an iteration, in nats,
 * and over how many tokens it is the mean (1 unless given). NaN before the first.
 *
 * @example
 * const perplexity = meter.perplexity()
 * perplexity.update(Math.log(2), 30)
 * perplexity.update(Math.log(16), 10)
 * await perplexity.evaluate() // 3.363586
 */
export function perplexity(): Meter<[loss: Scalar, count?: number], number> {
  return new FoldMeter({ ...weighed, result: (state) => Math.exp(ratio(state)) })
}

// State [sum of value times count, sum of counts].
const weighed = {
  start: [0, 0],
  add: (state, value, count) => {
    state[0] = (state[0] ?? 0) + value * count
    state[1] = (state[1] ?? 0) + count
  },
} satisfies Omit<Fold<number>, 'result'>

const ratio = ([total = 0, count = 0]: readonly number[]): number => total / count
