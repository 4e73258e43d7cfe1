// Tensors drawn from a generator.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { count, sizes } from './convert.ts'
import { dtypeIn, finish, type CreateOptions } from './create.ts'
import type { DType, FloatDType } from './dtype.ts'
import type { Generator } from './generator.ts'
import { wrapHandle, type Tensor } from './tensor.ts'

/** What every random function takes. */
export interface RandomOptions<D extends DType = DType> extends CreateOptions<D> {
  /** Where the numbers come from. @default the thread's generator, see `seed` */
  readonly generator?: Generator
}

function drawn<D extends DType>(
  what: string,
  { generator, ...options }: RandomOptions<D>,
  draw: (dtype: number) => number,
  fallback: DType = 'float32',
): Tensor<D> {
  const dtype = dtypeIn(what, options, fallback)
  return finish(generator === undefined ? draw(dtype) : generator.run(() => draw(dtype)), options)
}

/** Uniform in `[0, 1)`. @example rand([2, 3]) // shape [2, 3] */
export function rand<D extends DType = 'float32'>(shape: readonly number[], options: RandomOptions<D> = {}): Tensor<D> {
  return drawn('rand', options, (dtype) => native.randomUniform(sizes(shape), 0, 1, dtype))
}

/** Normal with mean 0 and standard deviation 1. @example randn([2, 3]) // shape [2, 3] */
export function randn<D extends DType = 'float32'>(shape: readonly number[], options: RandomOptions<D> = {}): Tensor<D> {
  return drawn('randn', options, (dtype) => native.randomNormal(sizes(shape), 0, 1, dtype))
}

/** Uniform in `[0, 1)`, of another tensor's shape, and dtype unless asked otherwise. @example randLike(zeros([2])) // shape [2] */
export function randLike<D extends DType, E extends DType = D>(x: Tensor<D>, options: RandomOptions<E> = {}): Tensor<E> {
  return drawn('randLike', options, (dtype) => native.randomUniform(sizes(x.shape), 0, 1, dtype), x.dtype)
}

/** Standard normal, of another tensor's shape, and dtype unless asked otherwise. @example randnLike(zeros([2])) // shape [2] */
export function randnLike<D extends DType, E extends DType = D>(x: Tensor<D>, options: RandomOptions<E> = {}): Tensor<E> {
  return drawn('randnLike', options, (dtype) => native.randomNormal(sizes(x.shape), 0, 1, dtype), x.dtype)
}

/** Uniform in `[low, high)`. @example uniform([2], { low: 3, high: 3 }) // [3, 3] */
export function uniform<D extends DType = 'float32'>(
  shape: readonly number[],
  options: RandomOptions<D> & { /** @default 0 */ readonly low?: number; /** @default 1 */ readonly high?: number } = {},
): Tensor<D> {
  const { low = 0, high = 1, ...rest } = options
  return drawn('uniform', rest, (dtype) => native.randomUniform(sizes(shape), low, high, dtype))
}

/** Normal with a mean and a standard deviation. @example normal([2], { mean: 5, std: 0 }) // [5, 5] */
export function normal<D extends DType = 'float32'>(
  shape: readonly number[],
  options: RandomOptions<D> & { /** @default 0 */ readonly mean?: number; /** @default 1 */ readonly std?: number } = {},
): Tensor<D> {
  const { mean = 0, std = 1, ...rest } = options
  return drawn('normal', rest, (dtype) => native.randomNormal(sizes(shape), mean, std, dtype))
}

/** Whose logarithm is normal with mean 1 and standard deviation 2, unless asked otherwise. @example logNormal([2], { mean: 0, std: 0 }) // [1, 1] */
export function logNormal<D extends DType = 'float32'>(
  shape: readonly number[],
  options: RandomOptions<D> & { /** @default 1 */ readonly mean?: number; /** @default 2 */ readonly std?: number } = {},
): Tensor<D> {
  const { mean = 1, std = 2, ...rest } = options
  return drawn('logNormal', rest, (dtype) => {
    const logarithm = native.randomNormal(sizes(shape), mean, std, dtype)
    try {
      return native.exp(logarithm)
    } finally {
      native.freeOne(logarithm)
    }
  })
}

/** Exponential, with density `rate * exp(-rate x)`. @example exponential([100]).ge(0).all().itemSync() // true */
export function exponential<D extends DType = 'float32'>(
  shape: readonly number[],
  options: RandomOptions<D> & { /** @default 1 */ readonly rate?: number } = {},
): Tensor<D> {
  const { rate = 1, ...rest } = options
  return drawn('exponential', rest, (dtype) => native.randomLaw(sizes(shape), 0, rate, 0, dtype))
}

/** Cauchy, with density `sigma / (pi (sigma^2 + (x - median)^2))`. @example cauchy([2, 3]) // shape [2, 3] */
export function cauchy<D extends DType = 'float32'>(
  shape: readonly number[],
  options: RandomOptions<D> & { /** @default 0 */ readonly median?: number; /** @default 1 */ readonly sigma?: number } = {},
): Tensor<D> {
  const { median = 0, sigma = 1, ...rest } = options
  return drawn('cauchy', rest, (dtype) => native.randomLaw(sizes(shape), 1, median, sigma, dtype))
}

/** How many trials it takes to the first success, of probability `p` each. @example geometric([100], 0.5).ge(1).all().itemSync() // true */
export function geometric<D extends DType = 'float32'>(shape: readonly number[], p: number, options: RandomOptions<D> = {}): Tensor<D> {
  return drawn('geometric', options, (dtype) => native.randomLaw(sizes(shape), 2, p, 0, dtype))
}

/** Whole numbers in `[low, high)`, int64 unless asked otherwise. @example randint(3, 4, { shape: [2] }) // [3, 3] */
export function randint<D extends DType = 'int64'>(
  low: number,
  high: number,
  options: RandomOptions<D> & { readonly shape: readonly number[] },
): Tensor<D> {
  const { shape, ...rest } = options
  for (const bound of [low, high]) {
    if (!Number.isSafeInteger(bound)) throw new FirnError('argument', `randint: bounds are whole numbers up to 2^53 and one is ${bound}`)
  }
  return drawn('randint', rest, (dtype) => native.randomInt(sizes(shape), low, high, dtype), 'int64')
}

/** 1 with probability `p`, else 0; a tensor of that shape holds a probability for each place. @example bernoulli([2], tensor([0, 1])) // [0, 1] */
export function bernoulli<D extends DType = 'float32'>(
  shape: readonly number[],
  p: number | Tensor<FloatDType>,
  options: RandomOptions<D> = {},
): Tensor<D> {
  const to = sizes(shape)
  if (typeof p === 'number') return drawn('bernoulli', options, (dtype) => native.randomBernoulli(to, p, dtype))
  if (String(p.shape) !== String(shape)) {
    throw new FirnError('shape', `bernoulli: p has shape [${p.shape.join(', ')}], and [${shape.join(', ')}] was asked for`)
  }
  return drawn('bernoulli', options, (dtype) => native.randomBernoulliAt(p.handle, dtype))
}

/** The numbers `0` to `n - 1` in random order. @example randperm(4).sort().values // [0, 1, 2, 3] */
export function randperm(n: number, options: { readonly generator?: Generator } = {}): Tensor<'int64'> {
  checkOptions('randperm', options, ['generator'])
  const draw = () => native.randomPermutation(count('randperm: n', n))
  return wrapHandle(options.generator === undefined ? draw() : options.generator.run(draw))
}

/** Options of `multinomial`. */
export interface MultinomialOptions {
  /** Whether a category may be drawn again. @default false */
  readonly replacement?: boolean
  readonly generator?: Generator
}

/**
 * `draws` positions drawn by weight, from one row of weights or from each of several; the weights need not add up to 1.
 * @example
 * multinomial(tensor([0, 1, 0]), 1) // [1]
 * @throws FirnError 'argument' for a negative weight, or more draws than weights above 0 without `replacement`
 */
export function multinomial(weights: Tensor<FloatDType>, draws: number, options: MultinomialOptions = {}): Tensor<'int64'> {
  checkOptions('multinomial', options, ['replacement', 'generator'])
  const { replacement = false, generator } = options
  const draw = () => native.randomMultinomial(weights.handle, count('multinomial: draws', draws), replacement)
  return wrapHandle(generator === undefined ? draw() : generator.run(draw))
}
