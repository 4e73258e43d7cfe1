// A line search for the strong conditions of Wolfe (Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6), as PyTorch's.
import type { DType, Tensor } from '../../tensor/index.ts'

/** A point on the line: how far along, the loss there, its gradient, and the gradient's part along the line. */
export interface LinePoint {
  readonly t: number
  readonly loss: number
  readonly grad: Tensor<DType>
  readonly slope: number
}

/** What a search is given. */
export interface LineSearch {
  /** The point at 0. */
  readonly from: LinePoint
  /** The first length to try. */
  readonly t: number
  /** The largest number of the direction. */
  readonly reach: number
  readonly toleranceChange: number
  /** Evaluations beyond the first. */
  readonly most: number
  readonly evaluate: (t: number) => LinePoint
}

const sufficient = 1e-4
const curvature = 0.9

/** The point that was found. */
export function strongWolfe({ from, t: first, reach, toleranceChange, most, evaluate }: LineSearch): LinePoint {
  const tooHigh = ({ t, loss }: LinePoint): boolean => loss > from.loss + sufficient * t * from.slope
  const flat = ({ slope }: LinePoint): boolean => Math.abs(slope) <= -curvature * from.slope
  let point = evaluate(first)
  let before = from
  let iterations = 0
  let bracket: Ends | null = null
  while (iterations < most) {
    if (tooHigh(point) || (iterations > 1 && point.loss >= before.loss)) {
      bracket = [before, point]
      break
    }
    if (flat(point)) return point
    if (point.slope >= 0) {
      bracket = [before, point]
      break
    }
    const { t } = point
    const next = cubicMinimum(before, point, [t + 0.01 * (t - before.t), t * 10])
    before = point
    point = evaluate(next)
    iterations += 1
  }
  // Which end of the bracket is lower; the first of two that are equally low.
  let ends = bracket ?? [from, point]
  let low = lowerOf(ends)
  let stuck = false
  while (iterations < most) {
    const [least, greatest] = [Math.min(ends[0].t, ends[1].t), Math.max(ends[0].t, ends[1].t)]
    if ((greatest - least) * reach < toleranceChange) break
    let t = cubicMinimum(...ends)
    // Near an end of the bracket twice, or outside: a tenth of the bracket away from that end.
    const margin = 0.1 * (greatest - least)
    if (Math.min(greatest - t, t - least) >= margin) stuck = false
    else if (stuck || t >= greatest || t <= least) {
      t = Math.abs(t - greatest) < Math.abs(t - least) ? greatest - margin : least + margin
      stuck = false
    } else stuck = true
    point = evaluate(t)
    iterations += 1
    if (tooHigh(point) || point.loss >= ends[low].loss) {
      ends = replaced(ends, other(low), point)
      low = lowerOf(ends)
    } else {
      if (flat(point)) return point
      if (point.slope * (ends[other(low)].t - ends[low].t) >= 0) ends = replaced(ends, other(low), ends[low])
      ends = replaced(ends, low, point)
    }
  }
  return ends[low]
}

type Ends = readonly [LinePoint, LinePoint]
type End = 0 | 1

const lowerOf = ([a, b]: Ends): End => (a.loss <= b.loss ? 0 : 1)
const other = (end: End): End => (end === 0 ? 1 : 0)
const replaced = ([a, b]: Ends, end: End, point: LinePoint): Ends => (end === 0 ? [point, b] : [a, point])

/** Where the cubic through two points with their slopes is least, between the bounds; their middle where it has no minimum. */
export function cubicMinimum(a: LinePoint, b: LinePoint, bounds?: readonly [number, number]): number {
  const [left, right] = a.t <= b.t ? [a, b] : [b, a]
  const [least, most] = bounds ?? [left.t, right.t]
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t)
  const square = d1 ** 2 - a.slope * b.slope
  if (!(square >= 0)) return (least + most) / 2
  const d2 = Math.sqrt(square)
  const at = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2))
  return Math.min(Math.max(at, least), most)
}
