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

const counts: Partial<Record<Column, Reason>> = {
  gradient: { firn: 'nothing', why: 'counts and places do not change with values; PyTorch has none' },
  quotients: { firn: 'nothing', why: 'counts and places do not change with values' },
  second: { firn: 'nothing', why: 'there is no first' },
}

/** By op, by column. */
export const reasons: Readonly<Record<string, Partial<Record<Column, Reason>>>> = {
  batch_norm: { 'zero-size': { firn: 'refuses', why: 'firn refuses: an empty batch has no mean' } },
  cosine_embedding_loss: oneShape,
  ctc_loss: {
    quotients: { firn: 'nothing', why: "the gradient is PyTorch's, of the scores before their softmax" },
    second: { firn: 'nothing', why: 'PyTorch has none, and firn refuses' },
    'zero-size': { firn: 'nothing', why: 'an empty batch has no paths to add up' },
    '0-d': { firn: 'nothing', why: 'a number is no sequence' },
  },
  embedding_bag: { 'zero-size': { firn: 'accepts', why: 'firn accepts: no bags give no rows' } },
  gaussian_nll_loss: oneShape,
  histc: counts,
  histogram: counts,
  huber_loss: oneShape,
  instance_norm: { 'zero-size': { firn: 'refuses', why: 'firn refuses: an empty batch has no statistics' } },
  kl_div: oneShape,
  l1_loss: oneShape,
  mse_loss: oneShape,
  multilabel_soft_margin_loss: oneShape,
  pixel_unshuffle: { 'zero-size': { firn: 'accepts', why: 'firn accepts: an empty batch stays one, as in pixelShuffle' } },
  poisson_nll_loss: oneShape,
  scatter: { '0-d': { firn: 'refuses', why: 'firn refuses: a number has no dim' } },
  smooth_l1_loss: oneShape,
  soft_margin_loss: oneShape,
  unique: counts,
  unique_consecutive: counts,
  unravel_index: counts,
}
