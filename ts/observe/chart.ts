// Curves in the terminal.
import { plot } from 'asciichart'
import { checkOptions, FirnError } from '../errors.ts'

/** Options of `chart`. */
export interface ChartOptions {
  /** Lines. @default 8 */
  readonly height?: number
  /** Columns at most; more values than that are averaged into them. @default 60 */
  readonly width?: number
  /** Whether the axis is logarithmic. @default false */
  readonly log?: boolean
}

/**
 * Draws values as a curve, oldest on the left.
 *
 * @example
 * console.log(chart([2.3, 1.2, 0.7, 0.5], { log: true }))
 */
export function chart(values: readonly number[], options: ChartOptions = {}): string {
  checkOptions('chart', options, ['height', 'width', 'log'])
  const { height = 8, width = 60, log = false } = options
  if (values.length === 0 || !values.every((value) => Number.isFinite(value) && (!log || value > 0))) {
    const given = values.length === 0 ? 'none' : values.join(', ')
    throw new FirnError('argument', `chart: expected finite numbers${log ? ' above 0' : ''}, got ${given}`)
  }
  const columns = Array.from({ length: Math.min(width, values.length) }, (_, i) => mean(columnOf(values, i, width)))
  const heights = log ? columns.map(Math.log10) : columns
  return plot([heights], { height, format: (value) => (log ? 10 ** value : value).toPrecision(3).padStart(9) })
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

// The values that fall into a column, all of them if there are fewer columns than values.
function columnOf(values: readonly number[], i: number, width: number): readonly number[] {
  if (values.length <= width) return values.slice(i, i + 1)
  return values.slice(Math.floor((i * values.length) / width), Math.ceil(((i + 1) * values.length) / width))
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
