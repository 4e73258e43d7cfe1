// How far predictions are from their targets.
import { FirnError } from '../../errors.ts'
import { type DType, stack, type Tensor, tensor } from '../../tensor/index.ts'
import type { Meter } from './meter.ts'
import { SumMeter } from './sumMeter.ts'

/** Predictions and targets of one shape. */
export type ErrorInputs = [predictions: Tensor<DType>, targets: Tensor<DType>]

/**
 * The mean of the absolute differences between predictions and targets, over all elements. NaN before the first.
 *
 * @example
 * const error = meter.meanAbsoluteError()
 * error.update(tensor([1, 2, 4]), tensor([1, 3, 2]))
 * await error.evaluate() // 1
 */
export function meanAbsoluteError(): Meter<ErrorInputs, number> {
  return errorMeter(
    'meter.meanAbsoluteError',
    (difference) => difference.abs(),
    (mean) => mean,
  )
}

/**
 * The root of the mean squared difference between predictions and targets, over all elements of all iterations. NaN before the first.
 *
 * @example
 * const error = meter.rootMeanSquaredError()
 * error.update(tensor([1, 2, 4]), tensor([1, 3, 2]))
 * await error.evaluate() // 1.290994
 */
export function rootMeanSquaredError(): Meter<ErrorInputs, number> {
  return errorMeter('meter.rootMeanSquaredError', (difference) => difference.square(), Math.sqrt)
}

function errorMeter(
  what: string,
  each: (difference: Tensor<'float64'>) => Tensor<'float64'>,
  result: (mean: number) => number,
): Meter<ErrorInputs, number> {
  return new SumMeter({
    size: 2,
    terms: (predictions, targets) => {
      const shapes = [predictions.shape, targets.shape].map((shape) => `[${shape.join(', ')}]`)
      // Broadcasting [batch, 1] with [batch] would compare each with all.
      if (shapes[0] !== shapes[1])
        throw new FirnError('shape', `${what}: got predictions and targets of ${shapes.join(' and ')}, expected one shape`)
      const sum = each(predictions.double().sub(targets.double())).sum()
      return stack([sum, tensor(predictions.size, { dtype: 'float64', device: sum.device })])
    },
    result: ([total = 0, count = 0]) => result(total / count),
  })
}
