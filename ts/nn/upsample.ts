// Images made larger.
import { checkOptions, FirnError } from '../errors.ts'
import type { Interpolation, Tensor } from '../tensor/index.ts'
import * as F from './functional.gen.ts'
import { Module } from './module.ts'

/** Makes images [batch, channels, ...] of one to three dimensions larger or smaller, as `F.interpolate` does. */
export class Upsample extends Module {
  readonly size: number | readonly number[] | undefined
  readonly scaleFactor: number | readonly number[] | undefined
  readonly mode: Interpolation
  readonly alignCorners: boolean
  readonly recomputeScaleFactor: boolean

  /**
   * Takes either `size` or `scaleFactor`, one number or one for each dimension.
   *
   * @example
   * new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }).forward(zeros([8, 3, 4, 4])) // shape [8, 3, 8, 8]
   */
  constructor(options: Omit<F.InterpolateOptions, 'antialias'>) {
    super()
    checkOptions('Upsample', options, ['size', 'scaleFactor', 'mode', 'alignCorners', 'recomputeScaleFactor'])
    const { size, scaleFactor, mode = 'nearest', alignCorners = false, recomputeScaleFactor = false } = options
    if ((size === undefined) === (scaleFactor === undefined)) {
      throw new FirnError('argument', 'Upsample: give either size or scaleFactor')
    }
    this.size = size
    this.scaleFactor = scaleFactor
    this.mode = mode
    this.alignCorners = alignCorners
    this.recomputeScaleFactor = recomputeScaleFactor
  }

  override forward(x: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this
    return F.interpolate(x, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor })
  }

  override extraRepr(): string {
    const to = this.size === undefined ? `scaleFactor=${String(this.scaleFactor)}` : `size=${String(this.size)}`
    return `${to}, mode=${this.mode}${this.alignCorners ? ', alignCorners=true' : ''}`
  }
}
