// Places of `x.at(...)`: ranges as in `slice` and tensors of positions or masks, in any mix.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { handlesOf, isNumber, operand } from './convert.ts'
import type { DType } from './dtype.ts'
import type { SliceRange } from './slice.ts'
import type { Tensor } from './tensor.ts'

/** What reads along one dimension: a range of `slice`, a tensor of positions, or a boolean tensor for as many dimensions as it has. */
export type Place = SliceRange | Tensor<DType>

const isTensor = (place: Place): place is Tensor<DType> => typeof place === 'object' && place !== null && 'handle' in place

/** The ranges that come first, and the tensors with the dimensions of the sliced part that they begin at. */
function takeApart(
  shape: readonly number[],
  places: readonly Place[],
): { ranges: readonly SliceRange[]; indices: readonly Tensor<DType>[]; dims: Int32Array } {
  const width = (place: Place): number => (isTensor(place) && place.dtype === 'bool' ? place.rank : 1)
  const taken = places.filter((place) => place !== '...').reduce<number>((sum, place) => sum + width(place), 0)
  if (taken > shape.length || places.filter((place) => place === '...').length > 1) {
    throw new FirnError('shape', `at: places for ${taken} dimensions of [${shape.join(', ')}], where '...' may stand once`)
  }
  const ranges: SliceRange[] = []
  const indices: Tensor<DType>[] = []
  const dims: number[] = []
  let dropped = 0
  for (const place of places) {
    if (place === '...') for (let i = taken; i < shape.length; i++) ranges.push(null)
    else if (isTensor(place)) {
      indices.push(place)
      dims.push(ranges.length - dropped)
      for (let i = width(place); i > 0; i--) ranges.push(null)
    } else {
      if (typeof place === 'number') dropped++
      ranges.push(place)
    }
  }
  return { ranges, indices, dims: Int32Array.from(dims) }
}

/** The tensors of `indexPut`, where `null` stands for a whole dimension, and the dimensions that they begin at. */
function tensorPlaces(
  shape: readonly number[],
  places: readonly (Tensor<DType> | null)[],
): { indices: readonly Tensor<DType>[]; dims: Int32Array } {
  if (!places.every((place) => place === null || isTensor(place))) {
    throw new FirnError(
      'argument',
      'indexPut: places are tensors, and null for a whole dimension; use selectScatter or sliceScatter for others',
    )
  }
  return takeApart(shape, places)
}

/** The handle of the part of `x` at `places`, or, where none is a tensor, the ranges for `slice`. */
export function readPlaces<D extends DType>(x: Tensor<D>, places: readonly Place[]): number | readonly SliceRange[] {
  const { ranges, indices, dims } = takeApart(x.shape, places)
  if (indices.length === 0) return ranges
  if (ranges.every((range) => range === null)) return native.indexAt(x.handle, handlesOf(indices), dims)
  const part = x.slice(...ranges)
  try {
    return native.indexAt(part.handle, handlesOf(indices), dims)
  } finally {
    part.dispose()
  }
}

/** Options of `indexPut`. */
export interface IndexPutOptions {
  /** Add to what is there instead of replacing it; repeated places add up. @default false */
  readonly accumulate?: boolean | undefined
}

/** The handle of `x` with `values` at `places`. */
export function writePlaces<D extends DType>(
  x: Tensor<D>,
  places: readonly (Tensor<DType> | null)[],
  values: Tensor<D> | number,
  options: IndexPutOptions,
): number {
  checkOptions('indexPut', options, ['accumulate'])
  const { indices, dims } = tensorPlaces(x.shape, places)
  return native.indexPutAt(x.handle, handlesOf(indices), dims, operand(values), options.accumulate ?? false, isNumber(values, 1))
}
