// L-BFGS as a frozen value: options that are bound to parameters to be used.
import { type ParamSource, nameAll } from '../group.ts'
import { BoundLbfgs } from './bound.ts'
import { completeLbfgs, type CompleteLbfgsOptions, type LbfgsOptions } from './options.ts'

/** L-BFGS with its options, made by `optim.lbfgs`; `bind` gives it parameters. */
export class Lbfgs {
  readonly options: CompleteLbfgsOptions

  constructor(options: LbfgsOptions) {
    this.options = Object.freeze(completeLbfgs('lbfgs', options))
    Object.freeze(this)
  }

  /** Gives it its parameters: those of a module or a list of tensors; there are no groups. @example const opt = optim.lbfgs().bind(model) */
  bind(params: ParamSource): BoundLbfgs {
    return new BoundLbfgs(this.options, nameAll('lbfgs.bind', params, 0))
  }

  toString(): string {
    return `lbfgs({ ${Object.entries(this.options)
      .map(([name, value]) => `${name}: ${String(value)}`)
      .join(', ')} })`
  }
}

/**
 * The method of Broyden, Fletcher, Goldfarb and Shanno with limited memory (Liu and Nocedal, 1989), as `torch.optim.LBFGS`: for smooth losses
 * of whole data sets. `step` takes a closure. It is no rule of the form that the other optimizers share, so graphs do not take it.
 *
 * @example
 * const opt = optim.lbfgs({ lineSearch: 'strongWolfe', historySize: 10 }).bind(new nn.Linear(2, 1))
 * opt.options.maxEval // 25
 */
export const lbfgs = (options: LbfgsOptions = {}): Lbfgs => new Lbfgs(options)
