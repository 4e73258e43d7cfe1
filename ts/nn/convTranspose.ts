// Transposed convolutions: what a convolution does to a gradient, used to make images larger.
import type { Pair, Tensor, Triple } from '../tensor/index.ts'
import { ConvolutionTranspose, type ConvTransposeOptions } from './convolution.ts'
import * as F from './functional.gen.ts'
import { checkPair, checkSize, checkTriple } from './sizes.ts'

/** Transposed 1-D convolution over [batch, inChannels, width]; the weight is [inChannels, outChannels / groups, kernel]. */
export class ConvTranspose1d extends ConvolutionTranspose<number, number> {
  /**
   * Weight and bias start uniform in ±1/sqrt(fanIn), as in PyTorch.
   *
   * @example
   * new nn.ConvTranspose1d(10, 1, { kernel: 4, stride: 2, padding: 1 }).forward(zeros([64, 10, 14])) // shape [64, 1, 28]
   */
  constructor(inChannels: number, outChannels: number, options: ConvTransposeOptions<number>) {
    super('ConvTranspose1d', checkSize, [inChannels, outChannels], options)
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this
    return F.convTranspose1d(x, this.weight, { bias: this.bias ?? undefined, stride, padding, outputPadding, dilation, groups })
  }
}

/** Transposed 2-D convolution over [batch, inChannels, height, width]; the weight is [inChannels, outChannels / groups, ...kernel]. */
export class ConvTranspose2d extends ConvolutionTranspose<Pair, readonly [height: number, width: number]> {
  /**
   * Weight and bias start uniform in ±1/sqrt(fanIn), as in PyTorch.
   *
   * @example
   * new nn.ConvTranspose2d(10, 1, { kernel: 4, stride: 2, padding: 1 }).forward(zeros([64, 10, 14, 14])) // shape [64, 1, 28, 28]
   */
  constructor(inChannels: number, outChannels: number, options: ConvTransposeOptions<Pair>) {
    super('ConvTranspose2d', checkPair, [inChannels, outChannels], options)
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this
    return F.convTranspose2d(x, this.weight, { bias: this.bias ?? undefined, stride, padding, outputPadding, dilation, groups })
  }
}

/** Transposed 3-D convolution over [batch, inChannels, depth, height, width]; the weight is [inChannels, outChannels / groups, ...kernel]. */
export class ConvTranspose3d extends ConvolutionTranspose<Triple, readonly [depth: number, height: number, width: number]> {
  /**
   * Weight and bias start uniform in ±1/sqrt(fanIn), as in PyTorch.
   *
   * @example
   * new nn.ConvTranspose3d(10, 1, { kernel: 2, stride: 2 }).forward(zeros([8, 10, 2, 4, 4])) // shape [8, 1, 4, 8, 8]
   */
  constructor(inChannels: number, outChannels: number, options: ConvTransposeOptions<Triple>) {
    super('ConvTranspose3d', checkTriple, [inChannels, outChannels], options)
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this
    return F.convTranspose3d(x, this.weight, { bias: this.bias ?? undefined, stride, padding, outputPadding, dilation, groups })
  }
}
