// Ranges of `x.slice(...)`: one for each dimension, with negative bounds, steps and an ellipsis.
import { FirnError } from '../errors.ts'

/**
 * What selects along one dimension: `null` all, a number one place (the dimension goes), `[start, stop]` or `[start, stop, step]` a range
 * with `null` for an open end, `'...'` as many whole dimensions as are left.
 */
export type SliceRange = null | number | '...' | readonly [start: number | null, stop: number | null, step?: number]

/** The ranges as triples for the core, and the dimensions that single places drop. */
export function resolve(shape: readonly number[], ranges: readonly SliceRange[]): { triples: Int32Array; dropped: number[] } {
  const given = ranges.filter((range) => range !== '...').length
  if (ranges.length - given > 1) throw new FirnError('argument', "slice: '...' may stand once")
  if (given > shape.length)
    throw new FirnError('shape', `slice: ${given} ranges for the ${shape.length} dimensions of [${shape.join(', ')}]`)
  const all: Exclude<SliceRange, '...'>[] = []
  for (const range of ranges) {
    if (range === '...') for (let i = given; i < shape.length; i++) all.push(null)
    else all.push(range)
  }
  while (all.length < shape.length) all.push(null)

  const triples = new Int32Array(3 * shape.length)
  const dropped: number[] = []
  shape.forEach((size, dim) => {
    const range = all[dim] ?? null
    if (typeof range === 'number') {
      if (!Number.isInteger(range) || range < -size || range >= size) {
        throw new FirnError('shape', `slice: place ${range} does not exist in dim ${dim} of [${shape.join(', ')}]`)
      }
      const at = range < 0 ? range + size : range
      triples.set([at, at + 1, 1], 3 * dim)
      dropped.push(dim)
      return
    }
    const [start, stop, step] = range ?? [null, null]
    for (const bound of [start, stop, step]) {
      if (bound !== null && bound !== undefined && !Number.isInteger(bound)) {
        throw new FirnError('argument', `slice: a range holds whole numbers or null, and dim ${dim} has [${String(range)}]`)
      }
    }
    triples.set([start ?? 0, stop ?? size, step ?? 1], 3 * dim)
  })
  return { triples, dropped }
}
