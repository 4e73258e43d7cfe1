// `fft`: the transforms, and the frequencies that belong to their places.
import { checkOptions, FirnError } from '../errors.ts'
import { arange } from './create.ts'
import type { FloatDType } from './dtype.ts'
import * as transforms from './fft.gen.ts'
import { cat } from './functions.gen.ts'
import type { Tensor } from './tensor.ts'

/** Options of `fftfreq` and `rfftfreq`. */
export interface FrequencyOptions<D extends FloatDType> {
  /** Distance between samples. @default 1 */
  readonly d?: number
  /** @default 'float32' */
  readonly dtype?: D
}

/**
 * The frequencies of a transform of `n` samples, in cycles per unit of `d`: from 0 up, then the negative ones.
 *
 * @example
 * fft.fftfreq(5) // [0, 0.2, 0.4, -0.4, -0.2]
 * fft.fftfreq(4, { d: 0.5 }) // [0, 0.5, -1, -0.5]
 */
export function fftfreq<D extends FloatDType = 'float32'>(n: number, options: FrequencyOptions<D> = {}): Tensor<D | 'float32'> {
  const [step, dtype] = frequencies('fftfreq', n, options)
  const half = Math.floor(n / 2)
  return cat([arange(0, n - half, { dtype }), arange(-half, 0, { dtype })]).div(step)
}

/**
 * The frequencies of the first half of a transform of `n` samples, as `rfft` gives it.
 *
 * @example
 * fft.rfftfreq(5) // [0, 0.2, 0.4]
 */
export function rfftfreq<D extends FloatDType = 'float32'>(n: number, options: FrequencyOptions<D> = {}): Tensor<D | 'float32'> {
  const [step, dtype] = frequencies('rfftfreq', n, options)
  return arange(0, Math.floor(n / 2) + 1, { dtype }).div(step)
}

function frequencies<D extends FloatDType>(name: string, n: number, options: FrequencyOptions<D>): [step: number, dtype: D | 'float32'] {
  checkOptions(name, options, ['d', 'dtype'])
  const { d = 1, dtype = 'float32' } = options
  if (!Number.isInteger(n) || n < 1) throw new FirnError('argument', `${name}: n must be a whole number >= 1, got ${n}`)
  if (!Number.isFinite(d) || d === 0) throw new FirnError('argument', `${name}: d must be a finite number other than 0, got ${d}`)
  return [n * d, dtype]
}

/** Discrete Fourier transforms. */
export const fft = { ...transforms, fftfreq, rfftfreq } as const
