// How often scores point at the label, and which label was taken for which class.
import { checkOptions, FirnError } from '../../errors.ts'
import { type DType, stack, type Tensor, where } from '../../tensor/index.ts'
import {
  type BinaryInputs,
  type BinaryOptions,
  type ClassInputs,
  type ClassOptions,
  defaultIgnored,
  expectOneScore,
  expectScorePerClass,
  type LabelInputs,
  type LabelOptions,
  reading,
  refuseOutside,
} from './labelled.ts'
import type { Meter } from './meter.ts'
import { SumMeter } from './sumMeter.ts'

const what = 'meter.accuracy'

/** Options of `meter.accuracy` of several classes. */
export interface AccuracyOptions extends LabelOptions {
  /** The label may be among so many of the highest scores; of equal scores, the first are taken. @default 1 */
  readonly topK?: number
}

/**
 * The share of samples whose highest score is that of the label: scores `[batch, classes, ...]`, labels `[batch, ...]`. With a `threshold`, scores
 * and labels have one shape, labels are 0 or 1, and a greater score means 1. NaN before the first.
 *
 * @example
 * new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.mnist.label] })
 * new MetricNode({ meter: meter.accuracy({ topK: 2 }), forward: (_, x) => [x.net, x.mnist.label] })
 * const binary = meter.accuracy({ threshold: 0.5 })
 * binary.update(tensor([0.9, 0.8, 0.2]), tensor([1, 0, 1]))
 * await binary.evaluate() // 0.333333
 */
export function accuracy(options?: AccuracyOptions): Meter<ClassInputs, number>
export function accuracy(options: BinaryOptions & { readonly threshold: number }): Meter<BinaryInputs, number>
export function accuracy(options: AccuracyOptions | BinaryOptions = {}): unknown {
  const { ignoreIndex = defaultIgnored } = options
  const hits = 'threshold' in options ? binaryHits(options) : classHits(options)
  return new SumMeter<LabelInputs, number>({
    size: 2,
    terms: (scores, labels) => {
      // In uint8, -100 would be 156.
      const counted = (labels.dtype === 'int64' ? labels : labels.double()).ne(ignoreIndex)
      return stack([hits(scores, labels).logicalAnd(counted).sum(), counted.sum()])
    },
    result: ([right = 0, all = 0]) => right / all,
  })
}

type Hits = (scores: Tensor, labels: Tensor<DType>) => Tensor<'bool'>

function binaryHits(options: BinaryOptions): Hits {
  checkOptions(what, options, ['threshold', 'ignoreIndex'])
  const { threshold = 0 } = options
  return (scores, labels) => {
    expectOneScore(what, scores, labels)
    return scores.gt(threshold).double().eq(labels.double())
  }
}

function classHits(options: AccuracyOptions): Hits {
  checkOptions(what, options, ['topK', 'threshold', 'ignoreIndex'])
  const { topK = 1 } = options
  if (!Number.isInteger(topK) || topK < 1) throw new FirnError('argument', `${what}: topK ${topK}, expected a whole number from 1`)
  return (scores, labels) => {
    expectScorePerClass(what, scores, labels)
    if (topK === 1) return scores.argmax(1).eq(labels)
    return scores.topk(topK, 1).indices.eq(labels.unsqueeze(1)).any(1)
  }
}

/**
 * How often each label (row) was taken for each class (column), from scores `[batch, classes, ...]` and labels `[batch, ...]`. A number stands
 * for `{ classes }`.
 *
 * @example
 * const confusion = meter.confusion(2)
 * confusion.update(tensor([[1, 0], [1, 0], [0, 1]]), tensor([0, 1, 1], { dtype: 'int64' }))
 * await confusion.evaluate() // [[1, 0], [1, 1]]
 */
export function confusion(options: number | ClassOptions): Meter<ClassInputs, number[][]> {
  const { classes, label } = reading('meter.confusion', typeof options === 'number' ? { classes: options } : options)
  const cells = classes * classes
  return new SumMeter({
    size: cells + 1,
    terms: (scores, labels) => {
      const { guesses, truths } = label(scores, labels)
      // Behind the table, first the labels that are no class, then those that do not count.
      const at = where(truths.lt(classes), truths.mul(classes).add(guesses), truths.add(cells - classes))
      return at.bincount({ minLength: cells + 2 }).narrow(0, 0, cells + 1)
    },
    result: (counts) => {
      refuseOutside('meter.confusion', counts[cells] ?? 0, classes)
      return Array.from({ length: classes }, (_, row) => counts.slice(row * classes, (row + 1) * classes))
    },
  })
}
