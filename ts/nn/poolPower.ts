// Pools of power means.
import type { LpPool1dOptions, LpPool2dOptions, LpPool3dOptions, Pair, Tensor, Triple } from '../tensor/index.ts'
import { Sliding, type WindowOptions } from './pooling.ts'
import { checkPair, checkSize, checkTriple, type Sizes, type SizesOf } from './sizes.ts'

interface LPPoolOptions<I> extends Omit<WindowOptions<I>, 'padding'> {
  readonly ceilMode?: boolean | undefined
}

abstract class LPPool<I, S extends Sizes> extends Sliding<I, S> {
  readonly normType: number
  readonly ceilMode: boolean

  protected constructor(name: string, sizesOf: SizesOf<I | number, S>, normType: number, kernel: I, options: LPPoolOptions<I>) {
    super(name, sizesOf, kernel, options, ['stride', 'ceilMode'])
    this.normType = normType
    this.ceilMode = options.ceilMode ?? false
  }
}

/** `(sum of x ** normType) ** (1 / normType)` under each place of the kernel, over [batch, channels, width]. */
export class LPPool1d extends LPPool<number, number> {
  /** @example new nn.LPPool1d(2, 2).forward(zeros([64, 32, 8])) // shape [64, 32, 4] */
  constructor(normType: number, kernel: number, options: LpPool1dOptions = {}) {
    super('LPPool1d', checkSize, normType, kernel, options)
  }

  override forward(x: Tensor): Tensor {
    return x.lpPool1d(this.normType, this.kernel, { stride: this.stride, ceilMode: this.ceilMode })
  }
}

/** `(sum of x ** normType) ** (1 / normType)` under each place of the kernel, over [batch, channels, height, width]. */
export class LPPool2d extends LPPool<Pair, readonly [height: number, width: number]> {
  /** @example new nn.LPPool2d(2, 2).forward(zeros([64, 32, 8, 8])) // shape [64, 32, 4, 4] */
  constructor(normType: number, kernel: Pair, options: LpPool2dOptions = {}) {
    super('LPPool2d', checkPair, normType, kernel, options)
  }

  override forward(x: Tensor): Tensor {
    return x.lpPool2d(this.normType, this.kernel, { stride: this.stride, ceilMode: this.ceilMode })
  }
}

/** `(sum of x ** normType) ** (1 / normType)` under each place of the kernel, over [batch, channels, depth, height, width]. */
export class LPPool3d extends LPPool<Triple, readonly [depth: number, height: number, width: number]> {
  /** @example new nn.LPPool3d(2, 2).forward(zeros([8, 4, 8, 8, 8])) // shape [8, 4, 4, 4, 4] */
  constructor(normType: number, kernel: Triple, options: LpPool3dOptions = {}) {
    super('LPPool3d', checkTriple, normType, kernel, options)
  }

  override forward(x: Tensor): Tensor {
    return x.lpPool3d(this.normType, this.kernel, { stride: this.stride, ceilMode: this.ceilMode })
  }
}
