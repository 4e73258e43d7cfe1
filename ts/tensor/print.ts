// How a tensor prints: PyTorch's layout and digits, JavaScript's words.
import type { DType } from './dtype.ts'

/** Entries shown at either end of a dimension that is cut. */
export const EDGE = 3
/** Elements up to which everything is shown. */
const LIMIT = 1000
const LINE = 80
const DIGITS = 4

/** Whether long dimensions are cut in the middle. */
export function summarised(shape: readonly number[]): boolean {
  return shape.reduce((product, size) => product * size, 1) > LIMIT
}

/** The elements of a tensor of `shape`, nested; those in the middle of long dimensions are not among `values` where it is summarised. */
export function show(dtype: DType, shape: readonly number[], values: readonly number[]): string {
  const format = formatter(dtype, values)
  const width = Math.max(...values.map((value) => format(value).length))
  const cut = summarised(shape)
  const shown = shape.map((size) => (cut ? Math.min(size, 2 * EDGE) : size))
  const write = (dim: number, offset: number): string => {
    const size = shown[dim]
    if (size === undefined) return format(values[offset] ?? 0).padStart(width)
    const stride = shown.slice(dim + 1).reduce((a, b) => a * b, 1)
    const parts = Array.from({ length: size }, (_, i) => write(dim + 1, offset + i * stride))
    const inner = dim < shape.length - 1
    if (size < (shape[dim] ?? 0)) parts.splice(EDGE, 0, inner ? '...' : ' ...')
    const indent = ' '.repeat(dim + 1)
    if (inner) return `[${parts.join(`,${'\n'.repeat(shape.length - dim - 1)}${indent}`)}]`
    const perLine = Math.max(1, Math.floor((LINE - dim) / (width + 2)))
    const lines = Array.from({ length: Math.ceil(parts.length / perLine) }, (_, i) =>
      parts.slice(i * perLine, (i + 1) * perLine).join(', '),
    )
    return `[${lines.join(`,\n${indent}`)}]`
  }
  return write(0, 0)
}

/** How elements are written: with the digits that the range of those shown asks for. */
function formatter(dtype: DType, shown: readonly number[]): (value: number) => string {
  if (dtype === 'bool') return (value) => String(value !== 0)
  if (!dtype.includes('float')) return String
  const sizes = shown.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs)
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
  const finite = digits(sizes.length > 0 && (most / least > 1000 || most > 1e8 || least < 1e-4), sizes.every(Number.isInteger))
  return (value) => (Number.isFinite(value) ? (Object.is(value, -0) ? `-${finite(0)}` : finite(value)) : String(value))
}

function digits(exponential: boolean, whole: boolean): (value: number) => string {
  if (exponential) return (value) => value.toExponential(DIGITS).replace(/([+-])(\d)$/, '$10$2')
  return whole ? (value) => `${value}.` : (value) => value.toFixed(DIGITS)
}
