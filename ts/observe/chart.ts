// Curves in the terminal.
import { plot } from 'asciichart'
import { checkOptions, FirnError } from '../errors.ts'

/**
 * Draws values as a curve, oldest on the left. More values than columns are averaged into them.
 *
 * @example
 * console.log(chart(result.history.map((epoch) => Number(epoch.metrics['loss']))))
 */
export function chart(values: readonly number[], options: { readonly height?: number; readonly width?: number } = {}): string {
  checkOptions('chart', options, ['height', 'width'])
  const { height = 8, width = 60 } = options
  if (values.length === 0 || !values.every(Number.isFinite)) {
    throw new FirnError('argument', `chart: expected finite numbers, got ${values.length === 0 ? 'none' : values.join(', ')}`)
  }
  const columns =
    values.length <= width ? values : Array.from({ length: width }, (_, i) => mean(values.slice(...span(i, width, values.length))))
  return plot([[...columns]], { height, format: (value) => value.toPrecision(3).padStart(9) })
}

const span = (i: number, width: number, length: number): [number, number] => [
  Math.floor((i * length) / width),
  Math.ceil(((i + 1) * length) / width),
]

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
