// Layers that move elements between channels and places.
import type { Tensor } from '../tensor/index.ts'
import { Module } from './module.ts'
import { checkSize } from './sizes.ts'

/** What spreads channels over places by a factor, or gathers them. */
abstract class ByFactor extends Module {
  readonly factor: number

  protected constructor(name: string, factor: number) {
    super()
    this.factor = checkSize(`${name}: factor`, factor)
  }

  override extraRepr(): string {
    return String(this.factor)
  }
}

/** Channels become places: [..., channels * factor ** 2, height, width] gives [..., channels, height * factor, width * factor]. */
export class PixelShuffle extends ByFactor {
  /** @example new nn.PixelShuffle(2).forward(zeros([8, 12, 4, 4])) // shape [8, 3, 8, 8] */
  constructor(factor: number) {
    super('PixelShuffle', factor)
  }

  override forward(x: Tensor): Tensor {
    return x.pixelShuffle(this.factor)
  }
}

/** Places become channels: [..., channels, height * factor, width * factor] gives [..., channels * factor ** 2, height, width]. */
export class PixelUnshuffle extends ByFactor {
  /** @example new nn.PixelUnshuffle(2).forward(zeros([8, 3, 8, 8])) // shape [8, 12, 4, 4] */
  constructor(factor: number) {
    super('PixelUnshuffle', factor)
  }

  override forward(x: Tensor): Tensor {
    return x.pixelUnshuffle(this.factor)
  }
}

/** Deals the channels of [batch, channels, ...] out anew: from `groups` rows of channels to columns. */
export class ChannelShuffle extends Module {
  readonly groups: number

  /** @example new nn.ChannelShuffle(2).forward(zeros([8, 4, 4, 4])) // shape [8, 4, 4, 4] */
  constructor(groups: number) {
    super()
    this.groups = checkSize('ChannelShuffle: groups', groups)
  }

  override forward(x: Tensor): Tensor {
    return x.channelShuffle(this.groups)
  }

  override extraRepr(): string {
    return String(this.groups)
  }
}
