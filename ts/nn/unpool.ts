// Zeros with maxima where they were found: what undoes a pool of maxima.
import { checkOptions } from '../errors.ts'
import type { Pair, Tensor, Triple } from '../tensor/index.ts'
import { Sliding, type WindowOptions } from './pooling.ts'
import { checkPair, checkSize, checkTriple } from './sizes.ts'

/** Options of `forward` of `MaxUnpool1d` to `MaxUnpool3d`. */
export interface UnpoolSize {
  /** The size of the result, where the pool's arguments leave it open. */
  readonly outputSize?: number | readonly number[]
}

const known = ['stride', 'padding']

/** Zeros with the values of a `MaxPool1d` where it found them. */
export class MaxUnpool1d extends Sliding<number, number> {
  /**
   * @example
   * const { values, indices } = new nn.MaxPool1d(2).withIndices(rand([64, 32, 8]))
   * new nn.MaxUnpool1d(2).forward(values, indices) // shape [64, 32, 8]
   */
  constructor(kernel: number, options: WindowOptions<number> = {}) {
    super('MaxUnpool1d', checkSize, kernel, options, known)
  }

  override forward(x: Tensor, indices: Tensor<'int64'>, options: UnpoolSize = {}): Tensor {
    checkOptions('MaxUnpool1d.forward', options, ['outputSize'])
    return x.maxUnpool1d(indices, this.kernel, { stride: this.stride, padding: this.padding, ...options })
  }
}

/** Zeros with the values of a `MaxPool2d` where it found them. */
export class MaxUnpool2d extends Sliding<Pair, readonly [height: number, width: number]> {
  /**
   * @example
   * const { values, indices } = new nn.MaxPool2d(2).withIndices(rand([64, 32, 8, 8]))
   * new nn.MaxUnpool2d(2).forward(values, indices) // shape [64, 32, 8, 8]
   */
  constructor(kernel: Pair, options: WindowOptions<Pair> = {}) {
    super('MaxUnpool2d', checkPair, kernel, options, known)
  }

  override forward(x: Tensor, indices: Tensor<'int64'>, options: UnpoolSize = {}): Tensor {
    checkOptions('MaxUnpool2d.forward', options, ['outputSize'])
    return x.maxUnpool2d(indices, this.kernel, { stride: this.stride, padding: this.padding, ...options })
  }
}

/** Zeros with the values of a `MaxPool3d` where it found them. */
export class MaxUnpool3d extends Sliding<Triple, readonly [depth: number, height: number, width: number]> {
  /**
   * @example
   * const { values, indices } = new nn.MaxPool3d(2).withIndices(rand([8, 4, 8, 8, 8]))
   * new nn.MaxUnpool3d(2).forward(values, indices) // shape [8, 4, 8, 8, 8]
   */
  constructor(kernel: Triple, options: WindowOptions<Triple> = {}) {
    super('MaxUnpool3d', checkTriple, kernel, options, known)
  }

  override forward(x: Tensor, indices: Tensor<'int64'>, options: UnpoolSize = {}): Tensor {
    checkOptions('MaxUnpool3d.forward', options, ['outputSize'])
    return x.maxUnpool3d(indices, this.kernel, { stride: this.stride, padding: this.padding, ...options })
  }
}
