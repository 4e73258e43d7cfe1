// Precision, recall, F1 and overlap: ratios of how often each class was hit, guessed and true.
import { FirnError } from '../../errors.ts'
import { cat, where } from '../../tensor/index.ts'
import {
  type BinaryInputs,
  type BinaryOptions,
  type ClassInputs,
  type LabelInputs,
  type LabelOptions,
  type Reading,
  reading,
  refuseOutside,
} from './labelled.ts'
import type { Meter } from './meter.ts'
import { SumMeter } from './sumMeter.ts'

const averages = ['macro', 'micro', 'weighted', 'none'] as const
type Average = (typeof averages)[number]

/** What a ratio without a denominator is. */
export interface ZeroDivision {
  /**
   * The value of a class whose denominator is 0: its precision where it was never guessed, its recall where it is no label. 0, 1, or NaN, which
   * takes no part in a mean. @default 0
   */
  readonly zeroDivision?: number
}

/** Options of a ratio where labels are 0 and 1: that of class 1. */
export interface BinaryRatioOptions extends BinaryOptions, ZeroDivision {}

/** Options of a ratio of several classes. */
export interface ClassRatioOptions extends LabelOptions, ZeroDivision {
  /** How many, or their names. */
  readonly classes: number | readonly string[]
  /**
   * `'macro'`: the mean over the classes that labels or guesses have. `'micro'`: one ratio of the counts of all classes. `'weighted'`: the mean
   * over classes, each as often as it is a label. `'none'`: a number for each class, in a list, or under its name, as loggers like it. @default 'macro'
   */
  readonly average?: Average
}

/** Makes a meter of labels 0 and 1, or of several classes. */
export interface RatioMeter {
  (options?: BinaryRatioOptions): Meter<BinaryInputs, number>
  (options: ClassRatioOptions & { readonly classes: number; readonly average: 'none' }): Meter<ClassInputs, number[]>
  (
    options: ClassRatioOptions & { readonly classes: readonly string[]; readonly average: 'none' },
  ): Meter<ClassInputs, Record<string, number>>
  (options: ClassRatioOptions): Meter<ClassInputs, number>
}

/**
 * Of what was guessed to be a class, the share that is: `hits / guessed`. Without options, labels are 0 and 1, scores have their shape, and one
 * above `threshold` means 1; with `classes`, scores are `[batch, classes, ...]` and labels `[batch, ...]`. Classes that are missing count as in
 * scikit-learn. NaN before the first.
 *
 * @example
 * new MetricNode({ meter: meter.precision({ classes: 3 }), forward: (_, x) => [x.net, x.mnist.label] })
 * const precision = meter.precision({ threshold: 0.5 })
 * precision.update(tensor([0.9, 0.8, 0.2]), tensor([1, 0, 1]))
 * await precision.evaluate() // 0.5
 */
export const precision: RatioMeter = ratioMeter('meter.precision', ({ hits, guessed }) => [hits, guessed])

/**
 * Of what is a class, the share that was found: `hits / labelled`. Options and inputs are those of `precision`.
 *
 * @example
 * const recall = meter.recall({ classes: ['cat', 'dog'], average: 'none' })
 * recall.update(tensor([[1, 0], [1, 0], [0, 1]]), tensor([0, 1, 1], { dtype: 'int64' }))
 * await recall.evaluate() // { cat: 1, dog: 0.5 }
 */
export const recall: RatioMeter = ratioMeter('meter.recall', ({ hits, labelled }) => [hits, labelled])

/**
 * The harmonic mean of precision and recall: `2 hits / (guessed + labelled)`. Options and inputs are those of `precision`; over classes it is the
 * mean of their F1, not the F1 of means.
 *
 * @example
 * new MetricNode({ meter: meter.f1({ classes: 3, average: 'weighted' }), forward: (_, x) => [x.net, x.mnist.label] })
 */
export const f1: RatioMeter = ratioMeter('meter.f1', ({ hits, guessed, labelled }) => [2 * hits, guessed + labelled])

/**
 * Intersection over union, also called Jaccard index: `hits / (guessed + labelled - hits)`. Options and inputs are those of `precision`. Of several
 * classes it is the mean IoU of segmentation; classes that neither labels nor guesses have do not count.
 *
 * @example
 * const overlap = meter.iou({ threshold: 0.5 })
 * overlap.update(tensor([[0.9, 0.8], [0.2, 0.1]]), tensor([[1, 0], [1, 0]]))
 * await overlap.evaluate() // 0.333333
 */
export const iou: RatioMeter = ratioMeter('meter.iou', ({ hits, guessed, labelled }) => [hits, guessed + labelled - hits])

/** Of one class, or of several together: how often a guess was right, how often there was one, how often there was the label. */
interface Counts {
  readonly hits: number
  readonly guessed: number
  readonly labelled: number
}

type Parts = (counts: Counts) => readonly [numerator: number, denominator: number]

// Definitions, and what becomes of missing classes, are those of scikit-learn's precision_recall_fscore_support and jaccard_score: of a mean
// those with labels=None, of a list those with labels=range(classes).
function ratioMeter(what: string, parts: Parts): RatioMeter
function ratioMeter(what: string, parts: Parts): unknown {
  return (options: BinaryRatioOptions | ClassRatioOptions = {}): Meter<LabelInputs> => {
    const names = 'classes' in options && typeof options.classes !== 'number' ? options.classes : null
    const { classes, label } = readingOf(what, options)
    const { zeroDivision = 0 } = options
    if (![0, 1, NaN].includes(zeroDivision)) throw new FirnError('argument', `${what}: zeroDivision ${zeroDivision}, expected 0, 1 or NaN`)
    const average = 'classes' in options ? averageOf(what, options.average) : 'binary'
    // Three counts a class, where a table of confusion has one for each two classes.
    return new SumMeter({
      size: 3 * classes + 1,
      terms: (scores, labels) => {
        const { guesses, truths } = label(scores, labels)
        const guessed = where(truths.lt(classes), guesses, classes)
          .bincount({ minLength: classes + 1 })
          .narrow(0, 0, classes)
        const hits = where(truths.eq(guesses), guesses, classes)
          .bincount({ minLength: classes + 1 })
          .narrow(0, 0, classes)
        return cat([hits, guessed, truths.bincount({ minLength: classes + 2 }).narrow(0, 0, classes + 1)])
      },
      result: (sums) => {
        refuseOutside(what, sums[3 * classes] ?? 0, classes)
        const at = (row: number, k: number): number => sums[row * classes + k] ?? 0
        const all = Array.from({ length: classes }, (_, k) => ({ hits: at(0, k), guessed: at(1, k), labelled: at(2, k) }))
        const isEmpty = together(all).labelled === 0
        const ratio = (counts: Counts): number => {
          const [numerator, denominator] = parts(counts)
          if (isEmpty) return NaN
          return denominator === 0 ? zeroDivision : numerator / denominator
        }
        if (average !== 'none') return combine(all, average, ratio)
        return names === null ? all.map(ratio) : Object.fromEntries(all.map((counts, k) => [names[k] ?? '', ratio(counts)]))
      },
    })
  }
}

function readingOf(what: string, options: BinaryRatioOptions | ClassRatioOptions): Reading {
  if (!('classes' in options)) return reading(what, options, ['zeroDivision'])
  const { classes } = options
  if (typeof classes !== 'number' && new Set(classes).size < classes.length)
    throw new FirnError('argument', `${what}: classes ${classes.join(', ')}, expected names that differ`)
  return reading(what, { ...options, classes: typeof classes === 'number' ? classes : classes.length }, ['average', 'zeroDivision'])
}

function averageOf(what: string, average: Average = 'macro'): Average {
  if (averages.includes(average)) return average
  throw new FirnError('argument', `${what}: average '${String(average)}', expected one of ${averages.join(', ')}`)
}

function combine(all: readonly Counts[], average: Exclude<Average, 'none'> | 'binary', ratio: (counts: Counts) => number): number {
  if (average === 'micro') return ratio(together(all))
  if (average === 'binary') return ratio(together(all.slice(1)))
  const seen = all.filter(({ guessed, labelled }) => guessed + labelled > 0)
  const values = seen
    .map((counts) => ({ value: ratio(counts), weight: average === 'macro' ? 1 : counts.labelled }))
    .filter(({ value }) => !Number.isNaN(value))
  return sumOf(values, ({ value, weight }) => value * weight) / sumOf(values, ({ weight }) => weight)
}

const together = (all: readonly Counts[]): Counts => ({
  hits: sumOf(all, ({ hits }) => hits),
  guessed: sumOf(all, ({ guessed }) => guessed),
  labelled: sumOf(all, ({ labelled }) => labelled),
})

const sumOf = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((sum, item) => sum + of(item), 0)
