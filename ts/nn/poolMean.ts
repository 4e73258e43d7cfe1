// Pools of means.
import type { AvgPool1dOptions, AvgPool2dOptions, AvgPool3dOptions, Pair, Tensor, Triple } from '../tensor/index.ts'
import { Adaptive, Sliding, type WindowOptions } from './pooling.ts'
import { checkPair, checkSize, checkTriple, type Sizes, type SizesOf } from './sizes.ts'

interface AvgPoolOptions<I> extends WindowOptions<I> {
  readonly ceilMode?: boolean | undefined
  readonly countIncludePad?: boolean | undefined
}

const known = ['stride', 'padding', 'ceilMode', 'countIncludePad']

abstract class AvgPool<I, S extends Sizes> extends Sliding<I, S> {
  readonly ceilMode: boolean
  readonly countIncludePad: boolean

  protected constructor(
    name: string,
    sizesOf: SizesOf<I | number, S>,
    kernel: I,
    options: AvgPoolOptions<I>,
    more: readonly string[] = [],
  ) {
    super(name, sizesOf, kernel, options, [...known, ...more])
    const { ceilMode = false, countIncludePad = true } = options
    this.ceilMode = ceilMode
    this.countIncludePad = countIncludePad
  }
}

/** The mean under each place of the kernel, over [batch, channels, width]. */
export class AvgPool1d extends AvgPool<number, number> {
  /** @example new nn.AvgPool1d(2).forward(zeros([64, 32, 8])) // shape [64, 32, 4] */
  constructor(kernel: number, options: AvgPool1dOptions = {}) {
    super('AvgPool1d', checkSize, kernel, options)
  }

  override forward(x: Tensor): Tensor {
    const { kernel, stride, padding, ceilMode, countIncludePad } = this
    return x.avgPool1d(kernel, { stride, padding, ceilMode, countIncludePad })
  }
}

/** The mean under each place of the kernel, over [batch, channels, height, width]. */
export class AvgPool2d extends AvgPool<Pair, readonly [height: number, width: number]> {
  readonly divisorOverride: number | undefined

  /** @example new nn.AvgPool2d(2).forward(zeros([64, 32, 8, 8])) // shape [64, 32, 4, 4] */
  constructor(kernel: Pair, options: AvgPool2dOptions = {}) {
    super('AvgPool2d', checkPair, kernel, options, ['divisorOverride'])
    this.divisorOverride = options.divisorOverride
  }

  override forward(x: Tensor): Tensor {
    const { kernel, stride, padding, ceilMode, countIncludePad, divisorOverride } = this
    return x.avgPool2d(kernel, { stride, padding, ceilMode, countIncludePad, divisorOverride })
  }
}

/** The mean under each place of the kernel, over [batch, channels, depth, height, width]. */
export class AvgPool3d extends AvgPool<Triple, readonly [depth: number, height: number, width: number]> {
  readonly divisorOverride: number | undefined

  /** @example new nn.AvgPool3d(2).forward(zeros([8, 4, 8, 8, 8])) // shape [8, 4, 4, 4, 4] */
  constructor(kernel: Triple, options: AvgPool3dOptions = {}) {
    super('AvgPool3d', checkTriple, kernel, options, ['divisorOverride'])
    this.divisorOverride = options.divisorOverride
  }

  override forward(x: Tensor): Tensor {
    const { kernel, stride, padding, ceilMode, countIncludePad, divisorOverride } = this
    return x.avgPool3d(kernel, { stride, padding, ceilMode, countIncludePad, divisorOverride })
  }
}

/** The mean of each of as many equal parts as `outputSize` says, over [batch, channels, width]. */
export class AdaptiveAvgPool1d extends Adaptive<number, number> {
  /** @example new nn.AdaptiveAvgPool1d(1).forward(zeros([64, 32, 8])) // shape [64, 32, 1] */
  constructor(outputSize: number) {
    super('AdaptiveAvgPool1d', checkSize, outputSize)
  }

  override forward(x: Tensor): Tensor {
    return x.adaptiveAvgPool1d(this.outputSize)
  }
}

/** The mean of each of as many equal parts as `outputSize` says, over [batch, channels, height, width]. */
export class AdaptiveAvgPool2d extends Adaptive<Pair, readonly [height: number, width: number]> {
  /** @example new nn.AdaptiveAvgPool2d(1).forward(zeros([64, 32, 8, 8])) // shape [64, 32, 1, 1] */
  constructor(outputSize: Pair) {
    super('AdaptiveAvgPool2d', checkPair, outputSize)
  }

  override forward(x: Tensor): Tensor {
    return x.adaptiveAvgPool2d(this.outputSize)
  }
}

/** The mean of each of as many equal parts as `outputSize` says, over [batch, channels, depth, height, width]. */
export class AdaptiveAvgPool3d extends Adaptive<Triple, readonly [depth: number, height: number, width: number]> {
  /** @example new nn.AdaptiveAvgPool3d(1).forward(zeros([8, 4, 8, 8, 8])) // shape [8, 4, 1, 1, 1] */
  constructor(outputSize: Triple) {
    super('AdaptiveAvgPool3d', checkTriple, outputSize)
  }

  override forward(x: Tensor): Tensor {
    return x.adaptiveAvgPool3d(this.outputSize)
  }
}
