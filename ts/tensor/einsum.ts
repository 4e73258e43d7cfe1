// Contractions whose arguments no row can spell: tensors one by one or as a list, dimensions as a count or as two lists.
import { native } from '../backend/index.ts'
import { FirnError } from '../errors.ts'
import { handlesOf, integers } from './convert.ts'
import type { DType } from './dtype.ts'
import { wrapHandle, type Tensor } from './tensor.ts'

/**
 * The sum of products that `equation` writes by Einstein's convention: letters name dimensions, those that the result leaves out are summed,
 * a letter that stands twice in one tensor takes its diagonal, `...` stands for any number of leading dimensions, and without `->` the
 * result holds every letter that stands once, in alphabetical order. More than two tensors are contracted in the order of least work.
 * @example
 * einsum('ij,jk->ik', tensor([[1, 2]]), tensor([[3], [4]])) // [[11]]
 * einsum('ii', tensor([[1, 2], [3, 4]])) // 5
 */
export function einsum<D extends DType>(equation: string, ...operands: readonly Tensor<D>[] | readonly [readonly Tensor<D>[]]): Tensor<D> {
  return wrapHandle(native.einsumOf(equation, handlesOf(operands.flat(1))))
}

/**
 * The product of two tensors, summed over the last `dims` dimensions of `a` and the first of `b`, or over the dimensions of the two lists.
 * @example
 * tensordot(tensor([[1, 2], [3, 4]]), tensor([[1, 0], [0, 1]])) // 5
 * tensordot(tensor([[1, 2], [3, 4]]), tensor([1, 10]), [[0], [0]]) // [31, 42]
 */
export function tensordot<D extends DType>(
  a: Tensor<D>,
  b: Tensor<D>,
  dims: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor<D> {
  if (typeof dims === 'number' && !(Number.isInteger(dims) && dims >= 0 && dims <= Math.min(a.rank, b.rank))) {
    throw new FirnError('argument', `tensordot: expected up to ${Math.min(a.rank, b.rank)} dimensions to sum over, got ${dims}`)
  }
  const count = (length: number, from: number) => Array.from({ length }, (_, i) => from + i)
  const [left, right] = typeof dims === 'number' ? [count(dims, a.rank - dims), count(dims, 0)] : dims
  return wrapHandle(native.tensordotOver(a.handle, b.handle, integers(left), integers(right)))
}
