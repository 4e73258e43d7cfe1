// How a tensor prints: dtype, shape and a summary of its values.
import type { DType } from './dtype.ts'

const EDGE = 3
const LIMIT = 1000

/** `Tensor float32 [2, 2]` and the values, long dimensions cut in the middle. */
export function show(dtype: DType, shape: readonly number[], values: readonly number[]): string {
  const head = `Tensor ${dtype} [${shape.join(', ')}]`
  if (values.length === 0) return `${head} (empty)`
  const cut = values.length > LIMIT
  const text = values.map((value) => element(dtype, value, values))
  const width = Math.max(...(cut ? text.slice(0, LIMIT) : text).map((t) => t.length))

  const block = (dim: number, offset: number, indent: string): string => {
    if (dim === shape.length) return (text[offset] ?? '').padStart(width)
    const size = shape[dim] ?? 0
    const stride = shape.slice(dim + 1).reduce((a, b) => a * b, 1)
    const last = dim === shape.length - 1
    const parts: string[] = []
    for (let i = 0; i < size; i++) {
      if (cut && size > 2 * EDGE && i === EDGE) {
        parts.push('...')
        i = size - EDGE
      }
      parts.push(block(dim + 1, offset + i * stride, `${indent} `))
    }
    return `[${parts.join(last ? ', ' : `,\n${indent} `)}]`
  }
  return `${head}\n${block(0, 0, '')}`
}

function element(dtype: DType, value: number, all: readonly number[]): string {
  if (dtype === 'bool') return String(value !== 0)
  if (!dtype.includes('float') || !Number.isFinite(value)) return String(value)
  const finite = all
    .slice(0, LIMIT)
    .filter((v) => Number.isFinite(v) && v !== 0)
    .map(Math.abs)
  const [high, low] = [Math.max(...finite, 0), Math.min(...finite, Infinity)]
  return finite.length > 0 && (high >= 1e5 || low < 1e-4) ? value.toExponential(4) : value.toFixed(4)
}
