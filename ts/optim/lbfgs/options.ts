// The options of L-BFGS, with PyTorch's defaults.
import { FirnError } from '../../errors.ts'
import { complete } from '../schedule/check.ts'

/** Options of `optim.lbfgs`. */
export interface LbfgsOptions {
  /** Length of a step, the first to be tried where there is a line search. @default 1 */
  readonly lr?: number
  /** Iterations of one `step`. @default 20 */
  readonly maxIter?: number
  /** Calls of the closure in one `step`. @default `maxIter * 1.25` */
  readonly maxEval?: number
  /** Stop where no number of the gradient is larger. @default 1e-7 */
  readonly toleranceGrad?: number
  /** Stop where neither a parameter nor the loss changes by more. @default 1e-9 */
  readonly toleranceChange?: number
  /** Steps that are remembered. @default 100 */
  readonly historySize?: number
  /** How the length of a step is found: by the strong conditions of Wolfe, or not at all. @default null */
  readonly lineSearch?: 'strongWolfe' | null
  /** Ascend instead of descend. @default false */
  readonly maximize?: boolean
}

/** All of them. */
export type CompleteLbfgsOptions = Required<LbfgsOptions>

const checks = {
  lr: [1, '>= 0'],
  maxIter: [20, 'count >= 1'],
  maxEval: [25, 'count >= 1'],
  toleranceGrad: [1e-7, '>= 0'],
  toleranceChange: [1e-9, '>= 0'],
  historySize: [100, 'count >= 1'],
  maximize: [false, 'flag'],
} as const

/** PyTorch's names, in its order. */
export const lbfgsKeys = {
  lr: 'lr',
  maxIter: 'max_iter',
  maxEval: 'max_eval',
  toleranceGrad: 'tolerance_grad',
  toleranceChange: 'tolerance_change',
  historySize: 'history_size',
  lineSearch: 'line_search_fn',
  maximize: 'maximize',
} as const satisfies Record<keyof LbfgsOptions, string>

/** `given` with the defaults filled in and every value checked. */
export function completeLbfgs(what: string, given: LbfgsOptions): CompleteLbfgsOptions {
  const { lineSearch = null, ...rest } = given
  if (lineSearch !== null && lineSearch !== 'strongWolfe')
    throw new FirnError('argument', `${what}: lineSearch must be 'strongWolfe' or null, got ${String(lineSearch)}`)
  const maxEval = rest.maxEval ?? Math.floor((rest.maxIter ?? checks.maxIter[0]) * 1.25)
  const { lr, maxIter, toleranceGrad, toleranceChange, historySize, maximize, ...checked } = complete(what, checks, { ...rest, maxEval })
  return {
    lr: Number(lr),
    maxIter: Number(maxIter),
    maxEval: Number(checked['maxEval']),
    toleranceGrad: Number(toleranceGrad),
    toleranceChange: Number(toleranceChange),
    historySize: Number(historySize),
    lineSearch,
    maximize: maximize === true,
  }
}
