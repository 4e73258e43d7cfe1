// What all convolutions have in common: sizes, weight, bias.
import { checkOptions, FirnError } from '../errors.ts'
import { type PaddingWord, type PadMode, type Tensor, zeros } from '../tensor/index.ts'
import * as init from './init.ts'
import { Module } from './module.ts'
import { Parameter } from './parameter.ts'
import { checkSize, listed, type Sizes, type SizesOf, sizesText } from './sizes.ts'

/** Options of every convolution; `I` is a size as options spell it. */
interface Common<I> {
  /** Sizes of the kernel: one number, or one for each spatial dimension. */
  readonly kernel: I
  /** @default 1 */
  readonly stride?: I
  /** Distance between the points of the kernel. @default 1 */
  readonly dilation?: I
  /** Blocks of channels that do not see each other. @default 1 */
  readonly groups?: number
  /** @default true */
  readonly bias?: boolean
}

/** Options of `Conv1d`, `Conv2d` and `Conv3d`. */
export interface ConvOptions<I> extends Common<I> {
  /** What is added on each side; 'same' keeps the size (stride 1 only), 'valid' adds nothing. @default 0 */
  readonly padding?: I | PaddingWord
  /** What the padding holds: zeros, a reflection, the border, or the other end. @default 'zeros' */
  readonly paddingMode?: PaddingMode
}

/** Options of `ConvTranspose1d` to `ConvTranspose3d`. */
export interface ConvTransposeOptions<I> extends Common<I> {
  /** How much of the result is cut off on each side. @default 0 */
  readonly padding?: I
  /** What the result grows by at the end: a stride leaves its size open. @default 0 */
  readonly outputPadding?: I
}

/** What padding holds. */
export type PaddingMode = 'zeros' | Exclude<PadMode, 'constant'>

const paddingModes: readonly PaddingMode[] = ['zeros', 'reflect', 'replicate', 'circular']

/** Channels, sizes, weight and bias. */
abstract class Convolving<I, S extends Sizes> extends Module {
  readonly inChannels: number
  readonly outChannels: number
  readonly kernel: S
  readonly stride: S
  readonly dilation: S
  readonly groups: number
  readonly weight: Parameter
  readonly bias: Parameter | null

  protected constructor(
    name: string,
    sizesOf: SizesOf<I | number, S>,
    channels: readonly [inputs: number, outputs: number],
    options: Common<I>,
    transposed: boolean,
  ) {
    super()
    const { kernel, stride = 1, dilation = 1, groups = 1, bias = true } = options
    const [inputs, outputs] = channels
    this.inChannels = checkSize(`${name}: inChannels`, inputs)
    this.outChannels = checkSize(`${name}: outChannels`, outputs)
    this.kernel = sizesOf(`${name}: kernel`, kernel)
    this.stride = sizesOf(`${name}: stride`, stride)
    this.dilation = sizesOf(`${name}: dilation`, dilation)
    this.groups = checkSize(`${name}: groups`, groups)
    if (inputs % groups !== 0 || outputs % groups !== 0) {
      throw new FirnError('argument', `${name}: groups (${groups}) must divide inChannels (${inputs}) and outChannels (${outputs})`)
    }
    const [first, second] = transposed ? [inputs, outputs] : [outputs, inputs]
    this.weight = new Parameter(zeros([first, second / groups, ...listed(this.kernel)]))
    this.bias = bias ? new Parameter(zeros([outputs])) : null
    this.resetParameters()
  }

  /** Draws the weight and the bias anew. */
  resetParameters(): void {
    init.kaimingUniform(this.weight, { a: Math.sqrt(5) })
    const bound = 1 / Math.sqrt(init.fans(this.weight).fanIn)
    if (this.bias) init.uniform(this.bias, { low: -bound, high: bound })
  }

  protected described(others: readonly [name: string, value: string, usual: string][]): string {
    const shown = [`${this.inChannels}, ${this.outChannels}, kernel=${sizesText(this.kernel)}`]
    const all: typeof others = [
      ['stride', sizesText(this.stride), '1'],
      ...others,
      ['dilation', sizesText(this.dilation), '1'],
      ['groups', String(this.groups), '1'],
      ['bias', String(this.bias !== null), 'true'],
    ]
    for (const [name, value, usual] of all) if (value !== usual) shown.push(`${name}=${value}`)
    return shown.join(', ')
  }
}

/** A convolution; `I` is a size as options spell it, `S` as the layer keeps it. */
export abstract class Convolution<I, S extends Sizes> extends Convolving<I, S> {
  readonly padding: S | PaddingWord
  readonly paddingMode: PaddingMode
  // No padding, for an input that is padded already.
  readonly #none: S

  protected constructor(
    name: string,
    sizesOf: SizesOf<I | number, S>,
    channels: readonly [inputs: number, outputs: number],
    options: ConvOptions<I>,
  ) {
    checkOptions(name, options, ['kernel', 'stride', 'padding', 'dilation', 'groups', 'bias', 'paddingMode'])
    super(name, sizesOf, channels, options, false)
    const { padding = 0, paddingMode = 'zeros' } = options
    if (!paddingModes.includes(paddingMode)) {
      throw new FirnError('argument', `${name}: paddingMode must be one of ${paddingModes.join(', ')}, got ${String(paddingMode)}`)
    }
    if (padding === 'same' && listed(this.stride).some((step) => step !== 1)) {
      throw new FirnError('argument', `${name}: padding 'same' needs stride 1, got ${sizesText(this.stride)}`)
    }
    if (padding === 'same') this.padding = 'same'
    else this.padding = padding === 'valid' ? 'valid' : sizesOf(`${name}: padding`, padding, 0)
    this.paddingMode = paddingMode
    this.#none = sizesOf(name, 0, 0)
  }

  /** The input with its padding, if that is no zeros, and what the op has to add to it. */
  protected padded(x: Tensor): readonly [x: Tensor, padding: S | PaddingWord] {
    if (this.paddingMode === 'zeros') return [x, this.padding]
    const sides = typeof this.padding === 'string' ? this.#sidesOf(this.padding) : listed(this.padding).map((side) => [side, side])
    return [x.pad(sides.toReversed().flat(), { mode: this.paddingMode }), this.#none]
  }

  // 'same' with an even kernel needs one more after than before.
  #sidesOf(padding: PaddingWord): number[][] {
    const dilation = listed(this.dilation)
    return listed(this.kernel).map((size, axis) => {
      const all = padding === 'same' ? (dilation[axis] ?? 1) * (size - 1) : 0
      return [Math.floor(all / 2), Math.ceil(all / 2)]
    })
  }

  override extraRepr(): string {
    const padding = typeof this.padding === 'string' ? this.padding : sizesText(this.padding)
    return this.described([
      ['padding', padding, '0'],
      ['paddingMode', this.paddingMode, 'zeros'],
    ])
  }
}

/** A transposed convolution. */
export abstract class ConvolutionTranspose<I, S extends Sizes> extends Convolving<I, S> {
  readonly padding: S
  readonly outputPadding: S

  protected constructor(
    name: string,
    sizesOf: SizesOf<I | number, S>,
    channels: readonly [inputs: number, outputs: number],
    options: ConvTransposeOptions<I>,
  ) {
    checkOptions(name, options, ['kernel', 'stride', 'padding', 'outputPadding', 'dilation', 'groups', 'bias'])
    super(name, sizesOf, channels, options, true)
    const { padding = 0, outputPadding = 0 } = options
    this.padding = sizesOf(`${name}: padding`, padding, 0)
    this.outputPadding = sizesOf(`${name}: outputPadding`, outputPadding, 0)
  }

  override extraRepr(): string {
    return this.described([
      ['padding', sizesText(this.padding), '0'],
      ['outputPadding', sizesText(this.outputPadding), '0'],
    ])
  }
}
