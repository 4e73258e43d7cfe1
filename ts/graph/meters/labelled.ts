// Scores beside labels: what meters of classes have in common.
import { checkOptions, FirnError } from '../../errors.ts'
import { type DType, type Tensor, where } from '../../tensor/index.ts'

/** Options of meters that compare scores with labels. */
export interface LabelOptions {
  /** Samples of this label do not count, as in `F.crossEntropy`. @default -100 */
  readonly ignoreIndex?: number
}

/** Options where the labels are 0 and 1, and each has one score. */
export interface BinaryOptions extends LabelOptions {
  /** A greater score means 1. The default is for scores as `F.binaryCrossEntropyWithLogits` takes them; 0.5 is for probabilities. @default 0 */
  readonly threshold?: number
}

/** Options where there are several classes, each with a score. */
export interface ClassOptions extends LabelOptions {
  /** How many. */
  readonly classes: number
}

/** The label that does not count unless another is given: PyTorch's. */
export const defaultIgnored = -100

/** Scores `[batch, classes, ...]` with labels `[batch, ...]`. */
export type ClassInputs = [scores: Tensor, labels: Tensor<'int64'>]

/** Scores and labels, 0 or 1, of one shape. */
export type BinaryInputs = [scores: Tensor, labels: Tensor<DType>]

/** Scores and labels of either kind. */
export type LabelInputs = [scores: Tensor, labels: Tensor<DType>]

/** The classes of samples in one dimension. */
export interface Labelled {
  /** What the scores say, from 0 to `classes - 1`. */
  readonly guesses: Tensor<'int64'>
  /** What the labels say; `classes` in place of a label that is no class, `classes + 1` of one that does not count. */
  readonly truths: Tensor<'int64'>
}

/** How scores and labels are read. */
export interface Reading extends Required<LabelOptions> {
  readonly classes: number
  label(scores: Tensor, labels: Tensor<DType>): Labelled
}

/** How to read scores and labels under these options, which are one class or several. Fails with code `'argument'`. */
export function reading(what: string, given: BinaryOptions | ClassOptions, more: readonly string[] = []): Reading {
  checkOptions(what, given, ['classes' in given ? 'classes' : 'threshold', 'ignoreIndex', ...more])
  const { ignoreIndex = defaultIgnored } = given
  if (!('classes' in given)) {
    const { threshold = 0 } = given
    return { classes: 2, ignoreIndex, label: (scores, labels) => binary(what, scores, labels, { threshold, ignoreIndex }) }
  }
  const { classes } = given
  if (!Number.isInteger(classes) || classes < 2)
    throw new FirnError('argument', `${what}: classes ${classes}, expected a whole number from 2`)
  return { classes, ignoreIndex, label: (scores, labels) => severalClasses(what, scores, labels, { classes, ignoreIndex }) }
}

function binary(what: string, scores: Tensor, labels: Tensor<DType>, { threshold, ignoreIndex }: Required<BinaryOptions>): Labelled {
  expectOneScore(what, scores, labels)
  const given = labels.double().flatten()
  const isOne = given.eq(1)
  const truths = where(given.eq(0).logicalOr(isOne), isOne.long(), 2)
  return { guesses: scores.gt(threshold).long().flatten(), truths: where(given.eq(ignoreIndex), 3, truths) }
}

function severalClasses(what: string, scores: Tensor, labels: Tensor<DType>, { classes, ignoreIndex }: Required<ClassOptions>): Labelled {
  expectScorePerClass(what, scores, labels, classes)
  const given = labels.long().flatten()
  const truths = where(given.lt(0).logicalOr(given.ge(classes)), classes, given)
  return { guesses: scores.argmax(1).flatten(), truths: where(given.eq(ignoreIndex), classes + 1, truths) }
}

/** Fails with code `'shape'` unless each label has one score. */
export function expectOneScore(what: string, scores: Tensor, labels: Tensor<DType>): void {
  if (!sameShape(scores.shape, labels.shape)) throw badShapes(what, scores, labels, 'one shape, of labels 0 and 1')
}

/** Fails with code `'shape'` unless each label has a score for each class. */
export function expectScorePerClass(what: string, scores: Tensor, labels: Tensor<DType>, classes?: number): void {
  const fits = scores.rank >= 2 && sameShape(scores.shape.toSpliced(1, 1), labels.shape)
  if (!fits || (classes !== undefined && scores.shape[1] !== classes))
    throw badShapes(what, scores, labels, `[batch, ${classes ?? 'classes'}, ...] and [batch, ...]`)
}

function badShapes(what: string, scores: Tensor, labels: Tensor<DType>, expected: string): FirnError {
  const shapes = `[${scores.shape.join(', ')}] and [${labels.shape.join(', ')}]`
  return new FirnError('shape', `${what}: got scores and labels of ${shapes}, expected ${expected}`)
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((size, i) => size === b[i])

/** Fails with code `'argument'` where there were labels that are no class. */
export function refuseOutside(what: string, outside: number, classes: number): void {
  if (outside === 0) return
  const remedy = `expected 0 to ${classes - 1}, or { ignoreIndex } for those that do not count`
  throw new FirnError('argument', `${what}: ${outside} ${outside === 1 ? 'label is' : 'labels are'} no class; ${remedy}`)
}
