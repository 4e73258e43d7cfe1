// Normalisation.
import { noGrad } from '../autograd/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { ones, type Tensor, tensor, tidy, zeros } from '../tensor/index.ts'
import * as F from './functional.gen.ts'
import { Module } from './module.ts'
import { type Buffer, Parameter } from './parameter.ts'
import { checkSize } from './sizes.ts'

/** Options of `BatchNorm2d`. */
export interface BatchNorm2dOptions {
  /** Added to the variance. @default 1e-5 */
  readonly eps?: number
  /** Share of a new batch in the running statistics; null makes them the average over all batches. @default 0.1 */
  readonly momentum?: number | null
  /** Whether a weight and a bias per channel are learnt. @default true */
  readonly affine?: boolean
  /** Whether running statistics are kept for evaluation; without, every batch is normalised by its own. @default true */
  readonly trackRunningStats?: boolean
}

/** Batch normalisation of [batch, numFeatures, height, width] over everything but the channel (Ioffe & Szegedy, 2015). */
export class BatchNorm2d extends Module {
  readonly numFeatures: number
  readonly eps: number
  /** Share of a new batch in the running statistics; null makes them the average over all batches. */
  momentum: number | null
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly runningMean: Buffer | null
  readonly runningVar: Buffer | null
  readonly numBatchesTracked: Buffer<'int64'> | null

  /**
   * @example
   * new nn.BatchNorm2d(32).forward(randn([64, 32, 8, 8])) // shape [64, 32, 8, 8]
   */
  constructor(numFeatures: number, options: BatchNorm2dOptions = {}) {
    super()
    checkOptions('BatchNorm2d', options, ['eps', 'momentum', 'affine', 'trackRunningStats'])
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options
    this.numFeatures = checkSize('BatchNorm2d: numFeatures', numFeatures)
    this.eps = eps
    this.momentum = momentum
    this.weight = affine ? new Parameter(ones([numFeatures])) : null
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null
    this.runningMean = trackRunningStats ? this.registerBuffer('running_mean', zeros([numFeatures])) : null
    this.runningVar = trackRunningStats ? this.registerBuffer('running_var', ones([numFeatures])) : null
    this.numBatchesTracked = trackRunningStats ? this.registerBuffer('num_batches_tracked', tensor(0, { dtype: 'int64' })) : null
  }
  override forward(x: Tensor): Tensor {
    const { eps, weight, bias } = this
    this.#check(x)
    const affine = { weight: weight ?? undefined, bias: bias ?? undefined, eps }
    if (!this.training && this.runningMean && this.runningVar) {
      return F.batchNorm(x, { runningMean: this.runningMean, runningVar: this.runningVar, training: false, ...affine })
    }
    const normal = F.batchNorm(x, affine)
    this.#track(x)
    return normal
  }

  /** Puts the running statistics back to what they were before the first batch. */
  resetRunningStats(): void {
    tidy(() => {
      this.runningMean?.assign(zeros([this.numFeatures]))
      this.runningVar?.assign(ones([this.numFeatures]))
      this.numBatchesTracked?.assign(tensor(0, { dtype: 'int64' }))
    })
  }

  override extraRepr(): string {
    const track = this.runningMean === null ? ', trackRunningStats=false' : ''
    return `${this.numFeatures}, eps=${this.eps}, momentum=${this.momentum}${this.weight ? '' : ', affine=false'}${track}`
  }

  #check(x: Tensor): void {
    if (x.rank === 4 && x.shape[1] === this.numFeatures) return
    throw new FirnError('shape', `BatchNorm2d: expected [batch, ${this.numFeatures}, height, width], got [${x.shape.join(', ')}]`)
  }

  #track(x: Tensor): void {
    const { runningMean, runningVar, numBatchesTracked: batches } = this
    if (!runningMean || !runningVar || !batches) return
    tidy(() =>
      noGrad(() => {
        batches.assign(batches.add(1))
        // Statistics of a batch in half precision are taken in that of the running ones.
        const wide = x.to(runningMean.dtype)
        const share = this.momentum ?? batches.to(runningMean.dtype).reciprocal()
        runningMean.assign(runningMean.add(wide.mean([0, 2, 3]).sub(runningMean).mul(share)))
        runningVar.assign(runningVar.add(wide.var([0, 2, 3]).sub(runningVar).mul(share)))
      }),
    )
  }
}
