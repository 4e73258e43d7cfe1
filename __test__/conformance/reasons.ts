// Where firn and PyTorch differ on purpose, and cells of the conformance table that have nothing to show: a sentence each.

/** A column of the table. */
export type Column = 'forward' | 'gradient' | 'quotients' | 'second' | 'float16' | 'bfloat16' | 'zero-size' | '0-d' | 'views' | 'broadcast'

export interface Reason {
  /** What firn does where PyTorch does otherwise; `nothing` where there is nothing to do. The table fails when this is no longer so. */
  readonly firn: 'refuses' | 'accepts' | 'nothing'
  readonly why: string
}

/** The losses compare element with element: PyTorch broadcasts, with a warning or without one. */
const oneShape: Partial<Record<Column, Reason>> = {
  broadcast: { firn: 'refuses', why: 'firn refuses: two shapes in a loss are a mistake more often than not' },
}

/** By op, by column. */
export const reasons: Readonly<Record<string, Partial<Record<Column, Reason>>>> = {
  batch_norm: { 'zero-size': { firn: 'refuses', why: 'firn refuses: an empty batch has no mean' } },
  mse_loss: { broadcast: { firn: 'refuses', why: 'firn refuses: PyTorch warns that it is a mistake' } },
  l1_loss: oneShape,
  smooth_l1_loss: oneShape,
  huber_loss: oneShape,
  kl_div: oneShape,
  poisson_nll_loss: oneShape,
  gaussian_nll_loss: oneShape,
  soft_margin_loss: oneShape,
  multilabel_soft_margin_loss: oneShape,
  cosine_embedding_loss: oneShape,
}
