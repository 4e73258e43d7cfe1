// Pools of maxima, and the way back.
import type { MaxPool1dOptions, MaxPool2dOptions, MaxPool3dOptions, Pair, Tensor, Triple } from '../tensor/index.ts'
import { Adaptive, Sliding, type WindowOptions } from './pooling.ts'
import { checkPair, checkSize, checkTriple, type Sizes, type SizesOf } from './sizes.ts'

interface MaxPoolOptions<I> extends WindowOptions<I> {
  readonly dilation?: I | undefined
  readonly ceilMode?: boolean | undefined
}

/** Maxima and where in their image they were found, as `maxUnpool1d` to `maxUnpool3d` take them. */
export interface Maxima {
  readonly values: Tensor
  readonly indices: Tensor<'int64'>
}

abstract class MaxPool<I, S extends Sizes> extends Sliding<I, S> {
  readonly dilation: S
  readonly ceilMode: boolean

  protected constructor(name: string, sizesOf: SizesOf<I | number, S>, kernel: I, options: MaxPoolOptions<I>) {
    super(name, sizesOf, kernel, options, ['stride', 'padding', 'dilation', 'ceilMode'])
    const { dilation = 1, ceilMode = false } = options
    this.dilation = sizesOf(`${name}: dilation`, dilation)
    this.ceilMode = ceilMode
  }

  /** The options of the op, which maxima and their places share. */
  protected get window(): { stride: S; padding: S; dilation: S; ceilMode: boolean } {
    const { stride, padding, dilation, ceilMode } = this
    return { stride, padding, dilation, ceilMode }
  }
}

/** The largest value under each place of the kernel, over [batch, channels, width]. */
export class MaxPool1d extends MaxPool<number, number> {
  /** @example new nn.MaxPool1d(2).forward(zeros([64, 32, 8])) // shape [64, 32, 4] */
  constructor(kernel: number, options: MaxPool1dOptions = {}) {
    super('MaxPool1d', checkSize, kernel, options)
  }

  override forward(x: Tensor): Tensor {
    return x.maxPool1d(this.kernel, this.window)
  }

  /**
   * The maxima with their places.
   *
   * @example
   * const { values, indices } = new nn.MaxPool1d(2).withIndices(rand([64, 32, 8]))
   * new nn.MaxUnpool1d(2).forward(values, indices) // shape [64, 32, 8]
   */
  withIndices(x: Tensor): Maxima {
    return { values: this.forward(x), indices: x.maxPool1dIndices(this.kernel, this.window) }
  }
}

/** The largest value under each place of the kernel, over [batch, channels, height, width]. */
export class MaxPool2d extends MaxPool<Pair, readonly [height: number, width: number]> {
  /** @example new nn.MaxPool2d(2).forward(zeros([64, 32, 8, 8])) // shape [64, 32, 4, 4] */
  constructor(kernel: Pair, options: MaxPool2dOptions = {}) {
    super('MaxPool2d', checkPair, kernel, options)
  }

  override forward(x: Tensor): Tensor {
    return x.maxPool2d(this.kernel, this.window)
  }

  /**
   * The maxima with their places.
   *
   * @example
   * const { values, indices } = new nn.MaxPool2d(2).withIndices(rand([64, 32, 8, 8]))
   * new nn.MaxUnpool2d(2).forward(values, indices) // shape [64, 32, 8, 8]
   */
  withIndices(x: Tensor): Maxima {
    return { values: this.forward(x), indices: x.maxPool2dIndices(this.kernel, this.window) }
  }
}

/** The largest value under each place of the kernel, over [batch, channels, depth, height, width]. */
export class MaxPool3d extends MaxPool<Triple, readonly [depth: number, height: number, width: number]> {
  /** @example new nn.MaxPool3d(2).forward(zeros([8, 4, 8, 8, 8])) // shape [8, 4, 4, 4, 4] */
  constructor(kernel: Triple, options: MaxPool3dOptions = {}) {
    super('MaxPool3d', checkTriple, kernel, options)
  }

  override forward(x: Tensor): Tensor {
    return x.maxPool3d(this.kernel, this.window)
  }

  /**
   * The maxima with their places.
   *
   * @example
   * const { values, indices } = new nn.MaxPool3d(2).withIndices(rand([8, 4, 8, 8, 8]))
   * new nn.MaxUnpool3d(2).forward(values, indices) // shape [8, 4, 8, 8, 8]
   */
  withIndices(x: Tensor): Maxima {
    return { values: this.forward(x), indices: x.maxPool3dIndices(this.kernel, this.window) }
  }
}

/** The largest value of each of as many equal parts as `outputSize` says, over [batch, channels, width]. */
export class AdaptiveMaxPool1d extends Adaptive<number, number> {
  /** @example new nn.AdaptiveMaxPool1d(1).forward(zeros([64, 32, 8])) // shape [64, 32, 1] */
  constructor(outputSize: number) {
    super('AdaptiveMaxPool1d', checkSize, outputSize)
  }

  override forward(x: Tensor): Tensor {
    return x.adaptiveMaxPool1d(this.outputSize)
  }

  /** The maxima with their places. */
  withIndices(x: Tensor): Maxima {
    return { values: this.forward(x), indices: x.adaptiveMaxPool1dIndices(this.outputSize) }
  }
}

/** The largest value of each of as many equal parts as `outputSize` says, over [batch, channels, height, width]. */
export class AdaptiveMaxPool2d extends Adaptive<Pair, readonly [height: number, width: number]> {
  /** @example new nn.AdaptiveMaxPool2d(1).forward(zeros([64, 32, 8, 8])) // shape [64, 32, 1, 1] */
  constructor(outputSize: Pair) {
    super('AdaptiveMaxPool2d', checkPair, outputSize)
  }

  override forward(x: Tensor): Tensor {
    return x.adaptiveMaxPool2d(this.outputSize)
  }

  /** The maxima with their places. */
  withIndices(x: Tensor): Maxima {
    return { values: this.forward(x), indices: x.adaptiveMaxPool2dIndices(this.outputSize) }
  }
}

/** The largest value of each of as many equal parts as `outputSize` says, over [batch, channels, depth, height, width]. */
export class AdaptiveMaxPool3d extends Adaptive<Triple, readonly [depth: number, height: number, width: number]> {
  /** @example new nn.AdaptiveMaxPool3d(1).forward(zeros([8, 4, 8, 8, 8])) // shape [8, 4, 1, 1, 1] */
  constructor(outputSize: Triple) {
    super('AdaptiveMaxPool3d', checkTriple, outputSize)
  }

  override forward(x: Tensor): Tensor {
    return x.adaptiveMaxPool3d(this.outputSize)
  }

  /** The maxima with their places. */
  withIndices(x: Tensor): Maxima {
    return { values: this.forward(x), indices: x.adaptiveMaxPool3dIndices(this.outputSize) }
  }
}
