// Dropout.
import { FirnError } from '../errors.ts'
import type { Tensor } from '../tensor/index.ts'
import { Module } from './module.ts'

/** Zeroes values at random in training and scales the others by 1 / (1 - p); does nothing in evaluation (Srivastava et al., 2014). */
export class Dropout extends Module {
  readonly p: number

  /**
   * `p`, the share of values dropped, is 0.5 unless given.
   *
   * @example
   * new nn.Dropout(0.1).eval().forward(ones([2])) // [1, 1]
   */
  constructor(p = 0.5) {
    super()
    if (!(p >= 0 && p <= 1)) throw new FirnError('argument', `Dropout: p must be in [0, 1], got ${p}`)
    this.p = p
  }

  override forward(x: Tensor): Tensor {
    return this.training ? x.dropout(this.p) : x
  }

  override extraRepr(): string {
    return `p=${this.p}`
  }
}
