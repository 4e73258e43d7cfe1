// The fully connected layer.
import { checkOptions } from '../errors.ts'
import { type Tensor, zeros } from '../tensor/index.ts'
import * as F from './functional.gen.ts'
import * as init from './init.ts'
import { Module } from './module.ts'
import { Parameter } from './parameter.ts'
import { checkSize } from './sizes.ts'

/** `y = x Wᵀ + b` over the last dimension: [..., inFeatures] to [..., outFeatures]; the weight is [outFeatures, inFeatures]. */
export class Linear extends Module {
  readonly inFeatures: number
  readonly outFeatures: number
  readonly weight: Parameter
  readonly bias: Parameter | null

  /**
   * `bias` is true unless given. Weight and bias start uniform in ±1/sqrt(inFeatures), as in PyTorch.
   *
   * @example
   * new nn.Linear(784, 10).forward(zeros([64, 784])) // shape [64, 10]
   */
  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean } = {}) {
    super()
    checkOptions('Linear', options, ['bias'])
    this.inFeatures = checkSize('Linear: inFeatures', inFeatures)
    this.outFeatures = checkSize('Linear: outFeatures', outFeatures)
    this.weight = new Parameter(zeros([outFeatures, inFeatures]))
    this.bias = (options.bias ?? true) ? new Parameter(zeros([outFeatures])) : null
    this.resetParameters()
  }

  /** Draws the weight and the bias anew. */
  resetParameters(): void {
    init.kaimingUniform(this.weight, { a: Math.sqrt(5) })
    const bound = 1 / Math.sqrt(this.inFeatures)
    if (this.bias) init.uniform(this.bias, { low: -bound, high: bound })
  }

  override forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias ?? undefined)
  }

  override extraRepr(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias ? '' : ', bias=false'}`
  }
}
