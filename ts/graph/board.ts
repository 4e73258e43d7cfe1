// The board of a node: where it puts values that somebody wants to see.
import { noGrad } from '../autograd/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { isRecord } from '../data/index.ts'
import type { Json } from '../io/index.ts'
import { type DType, type Tensor, tensorScope } from '../tensor/index.ts'
import type { RunContext } from './context.ts'
import type { Place, Reported } from './eventKinds.ts'
import { histogramOf, spreadOf } from './histogram.ts'
import { pixelsOf } from './pixels.ts'

/** Options of what a board takes. */
export interface ReportOptions {
  /** Where the value stands on the axis of a plot. @default globalTrainSteps */
  readonly step?: number
}

/**
 * Where values go that somebody wants to see. Without a listener nothing is kept or computed; with one, tensors are summed up on the device
 * and read later, many at once, so that reporting does not wait for the device.
 *
 * @example
 * graph.add('watch', new Node({ forward: (n, x) => n.board.scalar('largest', x.net.max()) }))
 */
export interface Board {
  /** Puts a value into the record of the epoch and tells everybody who listens to `metric`. */
  metric(name: string, value: Json): void
  /** A number, or a tensor of one element. Fails with code `'shape'` on another tensor. */
  scalar(name: string, value: number | Tensor<DType>, options?: ReportOptions): void
  /** How the elements of a tensor of any shape are spread. */
  histogram(name: string, values: Tensor<DType>, options?: ReportOptions): void
  /** An image `[channels, height, width]` of 1 to 4 channels or `[height, width]`: uint8, or floating point numbers in 0..1. */
  image(name: string, image: Tensor<DType>, options?: ReportOptions): void
  text(name: string, text: string, options?: ReportOptions): void
}

/** The board of the node of this name in a run. */
export class NodeBoard implements Board {
  readonly #node: string
  readonly #context: RunContext

  constructor(node: string, context: RunContext) {
    this.#node = node
    this.#context = context
  }

  metric(name: string, value: Json): void {
    const { metrics, events } = this.#context
    if (!isPlain(value))
      throw new FirnError(
        'argument',
        `board.metric: '${name}' is no plain data; a checkpoint keeps it: await tensor.item() or toArray() first`,
      )
    metrics.set(name, value)
    events.emit('metric', () => ({ ...this.#reported(name), value }))
  }

  scalar(name: string, value: number | Tensor<DType>, options: ReportOptions = {}): void {
    const { events } = this.#context
    if (!events.listens('scalar')) return
    if (typeof value !== 'number' && value.size !== 1) {
      throw new FirnError(
        'shape',
        `board.scalar: '${name}' has shape [${value.shape.join(', ')}], expected one number; take its mean() or sum() first`,
      )
    }
    const reported = this.#reported(name, options)
    const moment = { tick: events.tick }
    const tensor = typeof value === 'number' ? null : value
    events.late.add(tensor, (numbers) =>
      events.emit('scalar', () => ({ ...reported, value: typeof value === 'number' ? value : Number(numbers[0]) }), moment),
    )
  }

  histogram(name: string, values: Tensor<DType>, options: ReportOptions = {}): void {
    const { events } = this.#context
    if (!events.listens('histogram')) return
    const reported = this.#reported(name, options)
    const moment = { tick: events.tick }
    const { size } = values
    using _ = tensorScope()
    events.late.add(
      noGrad(() => histogramOf(values)),
      (numbers) => events.emit('histogram', () => ({ ...reported, ...spreadOf(numbers, size) }), moment),
    )
  }

  image(name: string, image: Tensor<DType>, options: ReportOptions = {}): void {
    const { events } = this.#context
    if (!events.listens('image')) return
    const reported = this.#reported(name, options)
    const moment = { tick: events.tick }
    using _ = tensorScope()
    const { data, ...size } = noGrad(() => pixelsOf(name, image))
    events.late.add(data, (numbers) =>
      events.emit('image', () => ({ ...reported, ...size, data: Uint8Array.from(numbers, Number) }), moment),
    )
  }

  text(name: string, text: string, options: ReportOptions = {}): void {
    const { events } = this.#context
    if (!events.listens('text')) return
    const reported = this.#reported(name, options)
    const moment = { tick: events.tick }
    events.late.add(null, () => events.emit('text', () => ({ ...reported, text }), moment))
  }

  #reported(name: string, options: ReportOptions = {}): Reported {
    checkOptions('board', options, ['step'])
    const place = placeOf(this.#context)
    return { node: this.#node, name, ...place, step: options.step ?? place.step }
  }
}

const isPlain = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.every(isPlain)
  if (isRecord(value)) return Object.values(value).every(isPlain)
  return value === null || ['boolean', 'number', 'string'].includes(typeof value)
}

/** Where a run stands. */
export function placeOf({ counters, task }: RunContext): Place {
  return {
    step: counters.trainIterations,
    epoch: counters.trainEpochs,
    training: task?.training ?? false,
    tags: task?.tags ?? [],
    time: Date.now(),
  }
}
