// Convolutions over one to three dimensions.
import type { Pair, Tensor, Triple } from '../tensor/index.ts'
import { type ConvOptions, Convolution } from './convolution.ts'
import * as F from './functional.gen.ts'
import { checkPair, checkSize, checkTriple } from './sizes.ts'

/** 1-D convolution over [batch, inChannels, width]; the weight is [outChannels, inChannels / groups, kernel]. */
export class Conv1d extends Convolution<number, number> {
  /**
   * Weight and bias start uniform in ±1/sqrt(fanIn), as in PyTorch.
   *
   * @example
   * new nn.Conv1d(1, 10, { kernel: 5 }).forward(zeros([64, 1, 28])) // shape [64, 10, 24]
   */
  constructor(inChannels: number, outChannels: number, options: ConvOptions<number>) {
    super('Conv1d', checkSize, [inChannels, outChannels], options)
  }

  override forward(x: Tensor): Tensor {
    const { stride, dilation, groups } = this
    const [input, padding] = this.padded(x)
    return F.conv1d(input, this.weight, { bias: this.bias ?? undefined, stride, padding, dilation, groups })
  }
}

/** 2-D convolution over [batch, inChannels, height, width]; the weight is [outChannels, inChannels / groups, kernelHeight, kernelWidth]. */
export class Conv2d extends Convolution<Pair, readonly [height: number, width: number]> {
  /**
   * Weight and bias start uniform in ±1/sqrt(fanIn), as in PyTorch.
   *
   * @example
   * new nn.Conv2d(1, 10, { kernel: 5 }).forward(zeros([64, 1, 28, 28])) // shape [64, 10, 24, 24]
   */
  constructor(inChannels: number, outChannels: number, options: ConvOptions<Pair>) {
    super('Conv2d', checkPair, [inChannels, outChannels], options)
  }

  override forward(x: Tensor): Tensor {
    const { stride, dilation, groups } = this
    const [input, padding] = this.padded(x)
    return F.conv2d(input, this.weight, { bias: this.bias ?? undefined, stride, padding, dilation, groups })
  }
}

/** 3-D convolution over [batch, inChannels, depth, height, width]; the weight is [outChannels, inChannels / groups, ...kernel]. */
export class Conv3d extends Convolution<Triple, readonly [depth: number, height: number, width: number]> {
  /**
   * Weight and bias start uniform in ±1/sqrt(fanIn), as in PyTorch.
   *
   * @example
   * new nn.Conv3d(1, 10, { kernel: [3, 5, 5] }).forward(zeros([8, 1, 4, 28, 28])) // shape [8, 10, 2, 24, 24]
   */
  constructor(inChannels: number, outChannels: number, options: ConvOptions<Triple>) {
    super('Conv3d', checkTriple, [inChannels, outChannels], options)
  }

  override forward(x: Tensor): Tensor {
    const { stride, dilation, groups } = this
    const [input, padding] = this.padded(x)
    return F.conv3d(input, this.weight, { bias: this.bias ?? undefined, stride, padding, dilation, groups })
  }
}
