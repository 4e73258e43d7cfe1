// `linalg`: what is generated, and the norm that is one of vectors or one of matrices.
import { checkOptions, FirnError } from '../errors.ts'
import { choices, type MatrixNorm } from './choices.gen.ts'
import type { DType, Floating } from './dtype.ts'
import * as generated from './linalg.gen.ts'
import type { Tensor } from './tensor.ts'

/** Options of `norm`. */
export interface NormOptions {
  /** Which norm: a number, or of matrices `'fro'` and `'nuc'`. @default 2 */
  readonly ord?: number | 'fro' | 'nuc' | undefined
  /** One dimension for vectors, two for matrices. @default all */
  readonly dim?: number | readonly number[] | undefined
  /** @default false */
  readonly keepDim?: boolean | undefined
}

/**
 * The norm of vectors along one dimension, or of matrices along two. Without `ord` it is the root of the sum of squares over `dim`, all
 * by default; with `ord` and without `dim`, `x` itself must be a vector or a matrix.
 *
 * @example
 * linalg.norm(tensor([[3, 0], [0, 4]])) // 5
 * linalg.norm(tensor([[3, 0], [0, 4]]), { ord: 'nuc' }) // 7
 * linalg.norm(tensor([[3, 0], [0, -4]]), { ord: 1, dim: 1 }) // [3, 4]
 */
export function norm<D extends DType>(x: Tensor<D>, options: NormOptions = {}): Tensor<D | Floating<D>> {
  checkOptions('norm', options, ['ord', 'dim', 'keepDim'])
  const { ord, dim, keepDim } = options
  if (ord === undefined) return generated.vectorNorm(x, { dim, keepDim })
  const dims = dim ?? Array.from({ length: x.rank }, (_, at) => at)
  const count = typeof dims === 'number' ? 1 : dims.length
  if (count === 2) return generated.matrixNorm(x, { ord: matrixWord(ord), dim: dims, keepDim })
  if (count === 1 && typeof ord === 'number') return generated.vectorNorm(x, { ord, dim: dims, keepDim })
  throw new FirnError('argument', `norm: ord ${ord} over ${count} dimensions; a vector has one and a number as ord, a matrix has two`)
}

function matrixWord(ord: number | 'fro' | 'nuc'): MatrixNorm {
  const word = String(ord).replace('Infinity', 'inf')
  const known = choices.MatrixNorm.find((choice) => choice === word)
  if (known === undefined)
    throw new FirnError('argument', `norm: no norm of matrices has ord ${ord}; there are ${choices.MatrixNorm.join(', ')}`)
  return known
}

/** Decompositions, solvers and norms of matrices. */
export const linalg = { ...generated, norm } as const
