// The meters: given values iteration by iteration, they say at the end what these amount to.
import { FirnError } from '../errors.ts'
import type { Json } from '../io/index.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import { FoldMeter, type Meter } from './meter.ts'

/** A number, or a tensor of one element. */
export type Scalar = number | Tensor<DType>

function scalar(value: Scalar): Scalar {
  if (typeof value === 'number' || value.size === 1) return value
  throw new FirnError(
    'shape',
    `meter: got a tensor of shape [${value.shape.join(', ')}], expected one number; take its mean() or sum() first`,
  )
}

/**
 * The last value. NaN before the first.
 *
 * @example
 * new MetricNode({ meter: meter.value(), forward: (_, x) => [x.loss] })
 */
export function value(): Meter<[value: Scalar], number> {
  return new FoldMeter({
    start: [NaN],
    entry: (value: Scalar) => ({ value: scalar(value), count: 1 }),
    add: (state, value) => void (state[0] = value),
    result: ([last = NaN]) => last,
  })
}

/** The sum of the values. */
export function sum(): Meter<[value: Scalar], number> {
  return new FoldMeter({
    start: [0],
    entry: (value: Scalar) => ({ value: scalar(value), count: 1 }),
    add: (state, value) => void (state[0] = (state[0] ?? 0) + value),
    result: ([total = 0]) => total,
  })
}

/**
 * The mean of the values, each weighed by `count` (1 unless given). NaN before the first.
 *
 * @example
 * new MetricNode({ meter: meter.average(), forward: (_, x) => [x.loss, x.mnist.label.size] })
 */
export function average(): Meter<[value: Scalar, count?: number], number> {
  return new FoldMeter({
    start: [0, 0],
    entry: (value: Scalar, count = 1) => ({ value: scalar(value), count }),
    add: (state, value, count) => add(state, value * count, count),
    result: ratio,
  })
}

/** The mean of the last `window` values. NaN before the first. */
export function movingAverage(window: number): Meter<[value: Scalar], number> {
  return new FoldMeter({
    start: [],
    entry: (value: Scalar) => ({ value: scalar(value), count: 1 }),
    add: (state, value) => {
      state.push(value)
      if (state.length > window) state.shift()
    },
    result: (state) => state.reduce((total, value) => total + value, 0) / state.length,
  })
}

/**
 * The share of samples whose highest score `[batch, classes]` is at the index given by `labels` `[batch]`. NaN before the first.
 *
 * @example
 * new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.mnist.label] })
 */
export function accuracy(): Meter<[scores: Tensor, labels: Tensor<'int64'>], number> {
  return new FoldMeter({
    start: [0, 0],
    entry: (scores: Tensor, labels: Tensor<'int64'>) => ({
      value: predictions('accuracy', scores, labels).eq(labels).sum(),
      count: labels.size,
    }),
    add: (state, value, count) => add(state, value, count),
    result: ratio,
  })
}

/** How often each label (row) was taken for each class (column), from scores `[batch, classes]` and labels `[batch]`. */
export function confusion(classes: number): Meter<[scores: Tensor, labels: Tensor<'int64'>], number[][]> {
  return new FoldMeter({
    start: Array<number>(classes * classes).fill(0),
    entry: (scores: Tensor, labels: Tensor<'int64'>) => ({
      value: labels.mul(classes).add(predictions('confusion', scores, labels)),
      count: 1,
    }),
    add: (state, cell) => void (state[cell] = (state[cell] ?? 0) + 1),
    result: (state) => Array.from({ length: classes }, (_, row) => state.slice(row * classes, (row + 1) * classes)),
  })
}

type AnyMeter = Meter<readonly unknown[]>
type InputsOf<M> = M extends Meter<infer In> ? In : never
type ResultOf<M> = M extends Meter<never, infer Out> ? Out : never

class DictMeter implements Meter<[values: Readonly<Record<string, readonly unknown[]>>], Record<string, Json>> {
  readonly #meters: readonly (readonly [name: string, meter: AnyMeter])[]

  constructor(meters: Readonly<Record<string, AnyMeter>>) {
    this.#meters = Object.entries(meters)
  }

  reset(): void {
    for (const [, meter] of this.#meters) meter.reset()
  }

  update(values: Readonly<Record<string, readonly unknown[]>>): void {
    for (const [name, meter] of this.#meters) meter.update(...(values[name] ?? []))
  }

  evaluate(): Promise<Record<string, Json>> {
    return this.#collect((meter) => meter.evaluate())
  }

  stateDict(): Promise<Record<string, Json>> {
    return this.#collect((meter) => meter.stateDict())
  }

  loadStateDict(state: Json): void {
    const states: ReadonlyMap<string, Json> = new Map(Object.entries(state ?? {}))
    for (const [name, meter] of this.#meters) meter.loadStateDict(states.get(name) ?? null)
  }

  async #collect(get: (meter: AnyMeter) => Promise<Json>): Promise<Record<string, Json>> {
    return Object.fromEntries(await Promise.all(this.#meters.map(async ([name, meter]) => [name, await get(meter)] as const)))
  }
}

/**
 * Several meters under names; takes a record of their inputs.
 *
 * @example
 * new MetricNode({
 *   meter: meter.dict({ loss: meter.average(), accuracy: meter.accuracy() }),
 *   forward: (_, x) => [{ loss: [x.loss], accuracy: [x.net, x.mnist.label] }],
 * })
 */
export function dict<M extends Readonly<Record<string, AnyMeter>>>(
  meters: M,
): Meter<[values: { readonly [K in keyof M]: Readonly<InputsOf<M[K]>> }], { readonly [K in keyof M]: ResultOf<M[K]> }>
export function dict(meters: Readonly<Record<string, AnyMeter>>): unknown {
  return new DictMeter(meters)
}

// State [numerator, denominator].
function add(state: number[], value: number, count: number): void {
  state[0] = (state[0] ?? 0) + value
  state[1] = (state[1] ?? 0) + count
}

const ratio = ([total = 0, count = 0]: readonly number[]): number => total / count

function predictions(what: string, scores: Tensor, labels: Tensor<'int64'>): Tensor<'int64'> {
  if (scores.rank === 2 && labels.rank === 1 && scores.shape[0] === labels.shape[0]) return scores.argmax(-1)
  const shapes = `[${scores.shape.join(', ')}] and [${labels.shape.join(', ')}]`
  throw new FirnError('shape', `meter.${what}: got scores and labels of ${shapes}, expected [batch, classes] and [batch]`)
}
