// Pooling over height and width.
import { checkOptions } from '../errors.ts'
import type { AvgPool2dOptions, MaxPool2dOptions, Pair, Tensor } from '../tensor/index.ts'
import { Module } from './module.ts'
import { checkPair, pairText } from './sizes.ts'

/** The largest value under each place of the kernel, over [batch, channels, height, width]. */
export class MaxPool2d extends Module {
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number]
  readonly dilation: readonly [number, number]
  readonly ceilMode: boolean

  /** @example new nn.MaxPool2d(2).forward(zeros([64, 32, 8, 8])) // shape [64, 32, 4, 4] */
  constructor(kernel: Pair, options: MaxPool2dOptions = {}) {
    super()
    checkOptions('MaxPool2d', options, ['stride', 'padding', 'dilation', 'ceilMode'])
    const { stride = kernel, padding = 0, dilation = 1, ceilMode = false } = options
    this.kernel = checkPair('MaxPool2d: kernel', kernel)
    this.stride = checkPair('MaxPool2d: stride', stride)
    this.padding = checkPair('MaxPool2d: padding', padding, 0)
    this.dilation = checkPair('MaxPool2d: dilation', dilation)
    this.ceilMode = ceilMode
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, dilation, ceilMode } = this
    return x.maxPool2d(this.kernel, { stride, padding, dilation, ceilMode })
  }

  override extraRepr(): string {
    return `${pairText(this.kernel)}, stride=${pairText(this.stride)}, padding=${pairText(this.padding)}`
  }
}

/** The mean under each place of the kernel, over [batch, channels, height, width]. */
export class AvgPool2d extends Module {
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number]
  readonly ceilMode: boolean
  readonly countIncludePad: boolean
  readonly divisorOverride: number | undefined

  /** @example new nn.AvgPool2d(2).forward(zeros([64, 32, 8, 8])) // shape [64, 32, 4, 4] */
  constructor(kernel: Pair, options: AvgPool2dOptions = {}) {
    super()
    checkOptions('AvgPool2d', options, ['stride', 'padding', 'ceilMode', 'countIncludePad', 'divisorOverride'])
    const { stride = kernel, padding = 0, ceilMode = false, countIncludePad = true, divisorOverride } = options
    this.kernel = checkPair('AvgPool2d: kernel', kernel)
    this.stride = checkPair('AvgPool2d: stride', stride)
    this.padding = checkPair('AvgPool2d: padding', padding, 0)
    this.ceilMode = ceilMode
    this.countIncludePad = countIncludePad
    this.divisorOverride = divisorOverride
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, ceilMode, countIncludePad, divisorOverride } = this
    return x.avgPool2d(this.kernel, { stride, padding, ceilMode, countIncludePad, divisorOverride })
  }

  override extraRepr(): string {
    return `${pairText(this.kernel)}, stride=${pairText(this.stride)}, padding=${pairText(this.padding)}`
  }
}

/** The mean over as many equal parts as `outputSize` says, whatever the input's height and width. */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: readonly [number, number]

  /** @example new nn.AdaptiveAvgPool2d(1).forward(zeros([64, 32, 8, 8])) // shape [64, 32, 1, 1] */
  constructor(outputSize: Pair) {
    super()
    this.outputSize = checkPair('AdaptiveAvgPool2d: outputSize', outputSize)
  }

  override forward(x: Tensor): Tensor {
    return x.adaptiveAvgPool2d(this.outputSize)
  }

  override extraRepr(): string {
    return pairText(this.outputSize)
  }
}
