// Clipping gradients by hand; an optimizer does it by itself with `clipGradNorm` and `clipGradValue`.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'

/**
 * Scales the gradients of `params` so that their norm, taken over all of them together, is at most `maxNorm`; gives the norm
 * there was before. `p` is the order of the norm, 2 unless given, and may be Infinity. A norm that is not finite makes every gradient NaN, or
 * with `errorIfNonFinite` is an error that leaves the gradients alone.
 *
 * @example
 * const norm = clipGradNorm(model.parameters(), 1)
 */
export function clipGradNorm(
  params: Iterable<Tensor<DType>>,
  maxNorm: number,
  options: { p?: number; errorIfNonFinite?: boolean } = {},
): number {
  checkOptions('clipGradNorm', options, ['p', 'errorIfNonFinite'])
  checkLimit('clipGradNorm: maxNorm', maxNorm)
  const { p = 2, errorIfNonFinite = false } = options
  if (!(p > 0)) throw new FirnError('argument', `clipGradNorm: p must be > 0, got ${p}`)
  const handles = handlesOf(params)
  const norm = native.gradNorm(handles, p)
  if (errorIfNonFinite && !Number.isFinite(norm))
    throw new FirnError('argument', `clipGradNorm: the norm of the gradients is ${norm}; look for the op with detectAnomaly()`)
  native.scaleGrads(handles, Math.min(1, maxNorm / (norm + 1e-6)))
  return norm
}

/**
 * Clamps every number in the gradients of `params` to ±`limit`.
 *
 * @example
 * clipGradValue(model.parameters(), 0.5)
 */
export function clipGradValue(params: Iterable<Tensor<DType>>, limit: number): void {
  checkLimit('clipGradValue: limit', limit)
  native.clampGrads(handlesOf(params), limit)
}

const handlesOf = (params: Iterable<Tensor<DType>>): Uint32Array => Uint32Array.from(params, (tensor) => tensor.handle)

function checkLimit(name: string, value: number): void {
  if (!(value > 0)) throw new FirnError('argument', `${name} must be a number > 0, got ${value}`)
}
