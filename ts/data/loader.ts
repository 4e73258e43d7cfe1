// Batches of a dataset, in order or shuffled, from any position on.
import { FirnError } from '../errors.ts'
import { tensorScope } from '../tensor/index.ts'
import { type BatchMaker, batchMaker } from './batchMaker.ts'
import { unmapped } from './compose.ts'
import { Course, type Place } from './course.ts'
import type { Dataset } from './dataset.ts'
import { batchesOf, checkLoader, type DefaultBatch, type LoaderOptions, type Untouched } from './options.ts'
import { type Window, windowOf } from './iterable.ts'
import { Pipeline } from './pipeline.ts'
import type { BatchSampler, Share } from './plan.ts'
import { tensorsIn } from './tensorsIn.ts'
import { Feed } from './workers/feed.ts'
import { openBatch, setupOf } from './workers/setup.ts'

/** Where a loader is: `position` batches of pass `epoch` over the data have been handed out, `taken` of them and before in this epoch. */
export interface Cursor extends Place {
  readonly taken: number
}

/**
 * Batches of a dataset, for `for` and `for await`; each loop is one epoch. A batch is freed when the next one is asked for,
 * except tensors that were kept with `keep()`. With `workers` it takes `for await`; the threads stay for the next loop, until `close()`, and
 * do not keep the process alive.
 *
 * @example
 * const loader = new DataLoader({ dataset: mnist({ split: 'train' }), batchSize: 64, shuffle: true })
 * for await (const { image, label } of loader) console.log(image.shape, label.shape)
 */
export class DataLoader<D extends Dataset, Out = Untouched, Batch = DefaultBatch<D, Out>>
  implements Iterable<Batch>, AsyncIterable<Batch>, AsyncDisposable
{
  /** Batches in an epoch. */
  readonly length: number
  /** Batches in one pass over the data. */
  readonly passLength: number
  readonly dataset: D
  readonly #seed: number
  readonly #batches: BatchSampler
  readonly #make: BatchMaker
  readonly #goesOn: boolean
  readonly #course: Course
  readonly #feed: Feed | null
  /** What is read of a dataset that can only be read in turn. */
  readonly #window: Window | null
  readonly #open: (delivered: unknown) => Batch
  #taken = 0

  /** @param share which process this is of how many that share the data */
  constructor(options: LoaderOptions<D, Out, Batch>, share: Share = { rank: 0, worldSize: 1 }) {
    checkLoader('DataLoader', options)
    this.dataset = options.dataset
    this.#seed = options.seed ?? 0
    this.#window = windowOf(options, share)
    this.#batches = batchesOf('DataLoader', options, share)
    this.#make = makerOf(options, this.#window)
    this.passLength = this.#batches.length
    this.length = options.iterationsPerEpoch ?? this.passLength
    this.#goesOn = options.iterationsPerEpoch !== undefined
    this.#course = this.course()
    this.#open = openBatch(options)
    const { workers: count = 0 } = options
    const order = ({ epoch, position }: Place) => ({ indices: this.indices(epoch, position), epoch, seed: this.#seed })
    this.#feed = count === 0 ? null : new Feed({ setup: setupOf('DataLoader', options), count, course: this.course(), order })
  }

  /** The way through the data, from its beginning. @internal */
  course(): Course {
    return new Course(this.passLength, this.#goesOn)
  }

  /** The batch at a position of a pass over the data, whatever was asked for before; it is the caller's to free. */
  at(epoch: number, position: number): Batch
  at(epoch: number, position: number): unknown {
    return this.#make(this.indices(epoch, position), { seed: this.#seed, epoch })
  }

  /** What has to be waited for before the next batch of a course is taken; undefined when that may come at once. @internal */
  ready(course: Course): Promise<void> | undefined {
    const { next } = course
    if (this.#window === null) return this.#feed?.ready(next)
    return this.#window.ready(next)?.then((isThere) => {
      if (isThere) return undefined
      course.place = { epoch: next.epoch + 1, position: 0 }
      return this.ready(course)
    })
  }

  /** The batch at a place that is ready; the caller's to free. @internal */
  take(place: Place): Batch {
    using scope = tensorScope()
    const delivered = this.#feed?.take(place)
    const batch = delivered === undefined ? this.at(place.epoch, place.position) : this.#open(delivered.batch)
    scope.end([...tensorsIn(batch)])
    return batch
  }

  /** Ends the workers; the next loop starts others. */
  async close(): Promise<void> {
    await this.#feed?.close()
    await this.#window?.close()
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The indices of the samples in a batch of a pass. */
  indices(epoch: number, position: number): readonly number[] {
    const indices = this.#batches.batch(position, { seed: this.#seed, epoch })
    if (this.#window !== null) return indices.slice(0, this.#window.size)
    const odd = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < this.dataset.length))
    if (odd === undefined) return indices
    throw new FirnError('argument', `DataLoader: the sampler asks for sample ${odd}; there are ${this.dataset.length}, counted from 0`)
  }

  /** Samples in a batch of a pass. */
  sizeAt(epoch: number, position: number): number {
    if (this.#window !== null) return this.#window.size
    return this.#batches.batch(position, { seed: this.#seed, epoch }).length
  }

  /** Where the loader is, for `loadStateDict`. */
  stateDict(): Cursor {
    return { ...this.#course.place, taken: this.#taken }
  }

  /** Goes to a place: the next loop hands out the rest of that epoch. */
  loadStateDict(cursor: Cursor): void {
    this.#course.place = cursor
    this.#taken = cursor.taken
  }

  *[Symbol.iterator](): Generator<Batch, void, undefined> {
    if (this.#feed !== null || this.#window !== null)
      throw new FirnError(
        'argument',
        'DataLoader: batches of workers, and of iterables, have to be waited for; write `for await (const batch of loader)`',
      )
    try {
      while (this.#taken < this.length) {
        const batch = this.#takeNext()
        try {
          yield batch
        } finally {
          free(batch)
        }
      }
    } finally {
      this.#endEpoch()
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    try {
      while (this.#taken < this.length) {
        if (await this.#isOver()) break
        await this.ready(this.#course)
        const batch = this.#takeNext()
        try {
          yield batch
        } finally {
          free(batch)
        }
      }
    } finally {
      this.#endEpoch()
    }
  }

  // A loop over an iterable is one pass; whether that is over shows when a batch is asked for.
  async #isOver(): Promise<boolean> {
    if (this.#window === null || this.#goesOn) return false
    return (await this.#window.ready(this.#course.next)) === false
  }

  #takeNext(): Batch {
    const place = this.#course.take()
    this.#taken += 1
    return this.take(place)
  }

  #endEpoch(): void {
    this.#course.beginEpoch()
    this.#taken = 0
  }
}

function free(batch: unknown): void {
  for (const tensor of tensorsIn(batch)) if (!tensor.isKept) tensor.dispose()
}

// The overload states what the types of the options say and conditional types cannot prove.
function makerOf<D extends Dataset, Out, Batch>(options: LoaderOptions<D, Out, Batch>, window: Window | null): BatchMaker
function makerOf({ dataset, pipeline, collate, cache }: LoaderOptions<Dataset, unknown, unknown>, window: Window | null): BatchMaker {
  const { stages } = pipeline instanceof Pipeline ? pipeline : new Pipeline(pipeline === undefined ? [] : [pipeline])
  const { dataset: inner, stages: first } = unmapped(dataset)
  return batchMaker({ dataset: window ?? inner, stages: [...first, ...stages], collate, cache })
}
