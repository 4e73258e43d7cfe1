// What an update is told, and what comes of it.
import type { BoundOptimizer } from './bound.ts'
import type { UpdaterContext } from './optimizer.ts'

/** What a step asks of a gradient scaler; `GradScaler` is one. */
export interface LossScale {
  /** What is still to be taken out of the gradients as a factor, and whether they are finite; null where the step is to find out. */
  begin(optimizer: BoundOptimizer): { readonly factor: number; readonly finite: boolean | null }
  /** Told what `begin` left open; null where there was no gradient. */
  record(finite: boolean | null): void
}

/** Where training stands: told to the updaters, and how a micro-batch counts. */
export interface UpdateContext extends Partial<Omit<UpdaterContext, 'group'>> {
  /** Takes the scale out of the gradients, and skips the update when one is not finite. @default none */
  readonly gradScaler?: LossScale
  /** Micro-batches of a window, unless the optimizer's `accumulate` says otherwise. @default 1 */
  readonly gradAccSteps?: number
  /** What the gradients are divided by for this micro-batch; its number of tokens if its loss is a sum over them. @default 1 */
  readonly weight?: number
  /** Tells the norm of the gradients also without `clipGradNorm`, by a pass over them more; not with `inBackward`. @default false */
  readonly measureNorm?: boolean
}

/** An update was made; `gradNorm` is the norm of the gradients before clipping, null without `clipGradNorm` and `measureNorm`. */
export type Stepped = { readonly kind: 'stepped'; readonly gradNorm: number | null }

/** What became of a micro-batch. */
export type UpdateResult = Stepped | { readonly kind: 'accumulating'; readonly count: number; readonly window: number } | Skipped

/** No update was made, and nothing advanced. */
export type Skipped = { readonly kind: 'skipped'; readonly reason: 'nonFinite' | 'zeroWeight' }

/** The names of an update's context. */
export const contextNames = [
  'gradScaler',
  'gradAccSteps',
  'weight',
  'measureNorm',
  'node',
  'currentEpoch',
  'epochSteps',
  'epochSize',
  'globalSteps',
] as const
