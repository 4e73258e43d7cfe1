// How a tensor prints: dtype, shape and a summary of its values.
import type { DType } from './dtype.ts'

/** Entries shown at either end of a dimension that is cut. */
const EDGE = 3
/** Elements up to which everything is shown. */
const LIMIT = 1000

/** `Tensor float32 [2, 2]` and the values, long dimensions cut in the middle. */
export function show(dtype: DType, shape: readonly number[], values: readonly number[]): string {
  const head = `Tensor ${dtype} [${shape.join(', ')}]`
  if (values.length === 0) return `${head} (empty)`
  const shown = places(shape, values.length > LIMIT)
  const format = formatter(
    dtype,
    leaves(shown).map((place) => values[place] ?? 0),
  )
  const text = render(shown, (place) => format(values[place] ?? 0))
  return `${head}\n${join(text, Math.max(...widths(text)), '')}`
}

/** Positions of elements, nested like the dimensions; null stands for what is left out. */
type Places = number | null | Places[]
type Text = string | Text[]

function places(shape: readonly number[], cut: boolean): Places {
  const build = (dim: number, offset: number): Places => {
    const size = shape[dim]
    if (size === undefined) return offset
    const stride = shape.slice(dim + 1).reduce((a, b) => a * b, 1)
    const all = Array.from({ length: size }, (_, i) => i)
    const entries = cut && size > 2 * EDGE ? [...all.slice(0, EDGE), null, ...all.slice(-EDGE)] : all
    return entries.map((i) => (i === null ? null : build(dim + 1, offset + i * stride)))
  }
  return build(0, 0)
}

function leaves(at: Places): number[] {
  if (Array.isArray(at)) return at.flatMap(leaves)
  return at === null ? [] : [at]
}

function render(at: Places, format: (place: number) => string): Text {
  if (Array.isArray(at)) return at.map((inner) => render(inner, format))
  return at === null ? '...' : format(at)
}

const widths = (text: Text): number[] => (typeof text === 'string' ? [text.length] : text.flatMap(widths))

function join(text: Text, width: number, indent: string): string {
  if (typeof text === 'string') return text === '...' ? text : text.padStart(width)
  const rows = text.some(Array.isArray)
  return `[${text.map((part) => join(part, width, `${indent} `)).join(rows ? `,\n${indent} ` : ', ')}]`
}

/** How elements are written: with the digits that the range of those shown asks for. */
function formatter(dtype: DType, shown: readonly number[]): (value: number) => string {
  if (dtype === 'bool') return (value) => String(value !== 0)
  if (!dtype.includes('float')) return String
  const sizes = shown.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs)
  const exponential = sizes.length > 0 && (Math.max(...sizes) >= 1e5 || Math.min(...sizes) < 1e-4)
  return (value) => (Number.isFinite(value) ? (exponential ? value.toExponential(4) : value.toFixed(4)) : String(value))
}
