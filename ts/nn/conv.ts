// Convolutions.
import { checkOptions, FirnError } from '../errors.ts'
import { type Pair, type Tensor, zeros } from '../tensor/index.ts'
import * as F from './functional.gen.ts'
import * as init from './init.ts'
import { Module } from './module.ts'
import { Parameter } from './parameter.ts'
import { checkPair, checkSize, pairText } from './sizes.ts'

/** Options of `Conv2d`. */
export interface Conv2dOptions {
  /** Height and width of the kernel. */
  readonly kernel: Pair
  /** @default 1 */
  readonly stride?: Pair
  /** Zeros on each side; 'same' keeps the size (stride 1 only), 'valid' adds none. @default 0 */
  readonly padding?: Pair | 'same' | 'valid'
  /** Distance between the points of the kernel. @default 1 */
  readonly dilation?: Pair
  /** Blocks of channels that do not see each other. @default 1 */
  readonly groups?: number
  /** @default true */
  readonly bias?: boolean
}

/** 2-D convolution over [batch, inChannels, height, width]; the weight is [outChannels, inChannels / groups, kernelHeight, kernelWidth]. */
export class Conv2d extends Module {
  readonly inChannels: number
  readonly outChannels: number
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number]
  readonly dilation: readonly [number, number]
  readonly groups: number
  readonly weight: Parameter
  readonly bias: Parameter | null
  // 'same' with an even kernel needs one zero more after than before.
  readonly #after: readonly [number, number]

  /**
   * Weight and bias start uniform in ±1/sqrt(fanIn), as in PyTorch.
   *
   * @example
   * new nn.Conv2d(1, 10, { kernel: 5 }).forward(zeros([64, 1, 28, 28])) // shape [64, 10, 24, 24]
   */
  constructor(inChannels: number, outChannels: number, options: Conv2dOptions) {
    super()
    checkOptions('Conv2d', options, ['kernel', 'stride', 'padding', 'dilation', 'groups', 'bias'])
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options
    this.inChannels = checkSize('Conv2d: inChannels', inChannels)
    this.outChannels = checkSize('Conv2d: outChannels', outChannels)
    this.kernel = checkPair('Conv2d: kernel', options.kernel)
    this.stride = checkPair('Conv2d: stride', stride)
    this.dilation = checkPair('Conv2d: dilation', dilation)
    const spread = (axis: 0 | 1): number => this.dilation[axis] * (this.kernel[axis] - 1)
    if (padding === 'same') this.padding = [Math.floor(spread(0) / 2), Math.floor(spread(1) / 2)]
    else this.padding = padding === 'valid' ? [0, 0] : checkPair('Conv2d: padding', padding, 0)
    this.#after = padding === 'same' ? [spread(0) % 2, spread(1) % 2] : [0, 0]
    this.groups = checkSize('Conv2d: groups', groups)
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new FirnError('argument', `Conv2d: groups (${groups}) must divide inChannels (${inChannels}) and outChannels (${outChannels})`)
    }
    if (padding === 'same' && this.stride.some((step) => step !== 1)) {
      throw new FirnError('argument', `Conv2d: padding 'same' needs stride 1, got ${pairText(this.stride)}`)
    }
    this.weight = new Parameter(zeros([outChannels, inChannels / groups, ...this.kernel]))
    this.bias = bias ? new Parameter(zeros([outChannels])) : null
    this.resetParameters()
  }

  /** Draws the weight and the bias anew. */
  resetParameters(): void {
    init.kaimingUniform(this.weight, { a: Math.sqrt(5) })
    const bound = 1 / Math.sqrt(init.fans(this.weight).fanIn)
    if (this.bias) init.uniform(this.bias, { low: -bound, high: bound })
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, dilation, groups } = this
    const [below, right] = this.#after
    const input = below + right === 0 ? x : x.pad([0, right, 0, below])
    return F.conv2d(input, this.weight, { bias: this.bias ?? undefined, stride, padding, dilation, groups })
  }

  override extraRepr(): string {
    const shown = [`${this.inChannels}, ${this.outChannels}, kernel=${pairText(this.kernel)}`]
    if (pairText(this.stride) !== '1') shown.push(`stride=${pairText(this.stride)}`)
    if (pairText(this.padding) !== '0') shown.push(`padding=${pairText(this.padding)}`)
    if (pairText(this.dilation) !== '1') shown.push(`dilation=${pairText(this.dilation)}`)
    if (this.groups !== 1) shown.push(`groups=${this.groups}`)
    if (this.bias === null) shown.push('bias=false')
    return shown.join(', ')
  }
}
