// Layers that only change the shape.
import { FirnError } from '../errors.ts'
import type { Tensor } from '../tensor/index.ts'
import { Module } from './module.ts'

/** Joins the dimensions from `startDim` (by default 1, after the batch) to `endDim` (by default the last) into one. */
export class Flatten extends Module {
  readonly startDim: number
  readonly endDim: number

  /** @example new nn.Flatten().forward(zeros([64, 10, 4, 4])) // shape [64, 160] */
  constructor(startDim = 1, endDim = -1) {
    super()
    this.startDim = startDim
    this.endDim = endDim
  }

  override forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim)
  }

  override extraRepr(): string {
    return `${this.startDim}, ${this.endDim}`
  }
}

/** Splits dimension `dim` into `sizes`, whose product is its size. */
export class Unflatten extends Module {
  readonly dim: number
  readonly sizes: readonly number[]

  /** @example new nn.Unflatten(1, [10, 4, 4]).forward(zeros([64, 160])) // shape [64, 10, 4, 4] */
  constructor(dim: number, sizes: readonly number[]) {
    super()
    this.dim = dim
    this.sizes = sizes
  }

  override forward(x: Tensor): Tensor {
    const dim = this.dim < 0 ? this.dim + x.rank : this.dim
    if (x.shape[dim] !== this.sizes.reduce((product, size) => product * size, 1)) {
      throw new FirnError(
        'shape',
        `Unflatten: dimension ${this.dim} of [${x.shape.join(', ')}] does not split into [${this.sizes.join(', ')}]`,
      )
    }
    return x.reshape([...x.shape.slice(0, dim), ...this.sizes, ...x.shape.slice(dim + 1)])
  }

  override extraRepr(): string {
    return `${this.dim}, [${this.sizes.join(', ')}]`
  }
}
