// Where firn and PyTorch differ on purpose, and cells of the conformance table that have nothing to show: a sentence each.

/** A column of the table. */
export type Column = 'forward' | 'gradient' | 'quotients' | 'second' | 'float16' | 'bfloat16' | 'zero-size' | '0-d' | 'views' | 'broadcast'

export interface Reason {
  /** What firn does where PyTorch does otherwise; `nothing` where there is nothing to do. The table fails when this is no longer so. */
  readonly firn: 'refuses' | 'accepts' | 'nothing'
  readonly why: string
}

const oneShape: { readonly broadcast: Reason } = {
  broadcast: { firn: 'refuses', why: 'firn refuses: PyTorch warns that it is a mistake, or broadcasts without a word' },
}

/** By op, by column. */
export const reasons: Readonly<Record<string, Partial<Record<Column, Reason>>>> = {
  batch_norm: { 'zero-size': { firn: 'refuses', why: 'firn refuses: an empty batch has no mean' } },
  cosine_embedding_loss: oneShape,
  gaussian_nll_loss: oneShape,
  huber_loss: oneShape,
  kl_div: oneShape,
  l1_loss: oneShape,
  mse_loss: oneShape,
  multilabel_soft_margin_loss: oneShape,
  poisson_nll_loss: oneShape,
  smooth_l1_loss: oneShape,
  soft_margin_loss: oneShape,
}
