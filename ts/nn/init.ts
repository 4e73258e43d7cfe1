// Initial values of parameters: each function fills a tensor in place, outside the tape, and returns it.
import { noGrad } from '../autograd/index.ts'
import { native } from '../backend/index.ts'
import { checkOptions, FirnError, unknownName } from '../errors.ts'
import { dtypeCode, type FloatDType, sizes, type Tensor } from '../tensor/index.ts'

const nonlinearities = ['linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'selu'] as const

/** What follows a layer, as far as the size of its weights depends on it. */
export type Nonlinearity = (typeof nonlinearities)[number]

/** Options of the Kaiming initialisers. */
export interface KaimingOptions {
  /** Slope of the leaky ReLU that follows. @default 0 */
  readonly a?: number
  /** Keep the variance of the forward pass ('fanIn') or of the backward pass ('fanOut'). @default 'fanIn' */
  readonly mode?: 'fanIn' | 'fanOut'
  /** @default 'leakyRelu' */
  readonly nonlinearity?: Nonlinearity
}

/** Uniform values in [low, high). @example init.uniform(layer.weight, { low: -0.1, high: 0.1 }) */
export function uniform<D extends FloatDType>(target: Tensor<D>, options: { low?: number; high?: number } = {}): Tensor<D> {
  checkOptions('init.uniform', options, ['low', 'high'])
  const { low = 0, high = 1 } = options
  return fill(target, (shape, dtype) => native.randomUniform(shape, low, high, dtype))
}

/** Normal values. @example init.normal(layer.weight, { std: 0.02 }) */
export function normal<D extends FloatDType>(target: Tensor<D>, options: { mean?: number; std?: number } = {}): Tensor<D> {
  checkOptions('init.normal', options, ['mean', 'std'])
  const { mean = 0, std = 1 } = options
  return fill(target, (shape, dtype) => native.randomNormal(shape, mean, std, dtype))
}

/** One value everywhere. @example init.constant(layer.bias, 0.1) */
export function constant<D extends FloatDType>(target: Tensor<D>, value: number): Tensor<D> {
  return fill(target, (shape, dtype) => native.full(shape, value, dtype))
}

/** All zero. @example init.zeros(layer.bias) */
export const zeros = <D extends FloatDType>(target: Tensor<D>): Tensor<D> => constant(target, 0)

/** All one. @example init.ones(norm.weight) */
export const ones = <D extends FloatDType>(target: Tensor<D>): Tensor<D> => constant(target, 1)

/**
 * He et al. (2015): uniform in ±gain·sqrt(3 / fan).
 *
 * @example
 * init.kaimingUniform(conv.weight, { nonlinearity: 'relu' })
 */
export function kaimingUniform<D extends FloatDType>(target: Tensor<D>, options: KaimingOptions = {}): Tensor<D> {
  const bound = Math.sqrt(3) * kaimingStd(target, options)
  return uniform(target, { low: -bound, high: bound })
}

/**
 * He et al. (2015): normal with standard deviation gain / sqrt(fan).
 *
 * @example
 * init.kaimingNormal(conv.weight, { mode: 'fanOut', nonlinearity: 'relu' })
 */
export function kaimingNormal<D extends FloatDType>(target: Tensor<D>, options: KaimingOptions = {}): Tensor<D> {
  return normal(target, { std: kaimingStd(target, options) })
}

/**
 * Glorot & Bengio (2010): uniform in ±gain·sqrt(6 / (fanIn + fanOut)). The gain is 1 unless given.
 *
 * @example
 * init.xavierUniform(layer.weight, { gain: init.calculateGain('tanh') })
 */
export function xavierUniform<D extends FloatDType>(target: Tensor<D>, options: { gain?: number } = {}): Tensor<D> {
  const bound = Math.sqrt(3) * xavierStd(target, options)
  return uniform(target, { low: -bound, high: bound })
}

/**
 * Glorot & Bengio (2010): normal with standard deviation gain·sqrt(2 / (fanIn + fanOut)). The gain is 1 unless given.
 *
 * @example
 * init.xavierNormal(layer.weight)
 */
export function xavierNormal<D extends FloatDType>(target: Tensor<D>, options: { gain?: number } = {}): Tensor<D> {
  return normal(target, { std: xavierStd(target, options) })
}

/**
 * The factor by which weights make up for the nonlinearity after them, as in PyTorch. `slope` is that of the leaky ReLU, by default 0.01.
 *
 * @example
 * init.calculateGain('relu') // Math.SQRT2
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1
    case 'tanh':
      return 5 / 3
    case 'relu':
      return Math.SQRT2
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + slope ** 2))
    case 'selu':
      return 3 / 4
    default:
      throw unknownName('calculateGain', 'nonlinearity', String(nonlinearity satisfies never), nonlinearities)
  }
}

/** How many inputs make an output, and how many outputs an input reaches, of a weight [out, in, ...kernel]. @example init.fans(conv.weight) */
export function fans(weight: { readonly shape: readonly number[] }): { fanIn: number; fanOut: number } {
  const [out, into, ...kernel] = weight.shape
  if (out === undefined || into === undefined) {
    throw new FirnError(
      'shape',
      `init: fan-in needs a weight of at least 2 dimensions, got [${weight.shape.join(', ')}]; use init.uniform or init.normal`,
    )
  }
  const field = kernel.reduce((product, size) => product * size, 1)
  return { fanIn: into * field, fanOut: out * field }
}

function kaimingStd(target: { readonly shape: readonly number[] }, options: KaimingOptions): number {
  checkOptions('init.kaiming', options, ['a', 'mode', 'nonlinearity'])
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options
  return calculateGain(nonlinearity, a) / Math.sqrt(fans(target)[mode])
}

function xavierStd(target: { readonly shape: readonly number[] }, options: { gain?: number }): number {
  checkOptions('init.xavier', options, ['gain'])
  const { fanIn, fanOut } = fans(target)
  return (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut))
}

function fill<D extends FloatDType>(target: Tensor<D>, make: (shape: Uint32Array, dtype: number) => number): Tensor<D> {
  const handle = make(sizes(target.shape), dtypeCode(target.dtype))
  noGrad(() => native.assign(target.handle, handle))
  native.freeOne(handle)
  return target
}
