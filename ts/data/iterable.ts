// Datasets that can only be read from their beginning: streams, generators, answers of a server.
import { FirnError } from '../errors.ts'
import { unmapped } from './compose.ts'
import { type Place, samePlace } from './course.ts'
import type { Dataset } from './dataset.ts'
import type { LoaderOptions } from './options.ts'
import type { Share } from './plan.ts'

/** Samples in turn. */
export type Source<Sample> = AsyncIterable<Sample> | Iterable<Sample>

/** Samples that come one after another; made by `fromIterable`. */
export class IterableDataset<Sample> implements Dataset<Sample> {
  /** Unknown before the end. */
  readonly length = Infinity
  /** Begins a pass over the samples. */
  readonly iterate: (epoch: number) => Source<Sample>

  constructor(iterate: (epoch: number) => Source<Sample>) {
    this.iterate = iterate
  }

  get(index: number): Sample {
    throw new FirnError(
      'argument',
      `fromIterable: sample ${index} cannot be gone to; these samples come in turn, in a loop of a DataLoader`,
    )
  }
}

/**
 * A dataset of what an iterable gives, async or not: it is called for every pass, with the number of the pass, and has to give the same
 * samples in the same order for that number. There is no shuffling and no worker; a resumed run reads and drops what was handed out before.
 * A loop is one pass, or `iterationsPerEpoch` batches; in a graph, a task of epochs needs `iterationsPerEpoch`.
 *
 * @example
 * const dataset = fromIterable(async function* () { yield* [1, 2, 3] })
 * const sizes = []
 * for await (const batch of new DataLoader({ dataset, batchSize: 2 })) sizes.push(batch.size)
 * sizes // [2, 1]
 */
export function fromIterable<Sample>(iterate: (epoch: number) => Source<Sample>): IterableDataset<Sample> {
  return new IterableDataset(iterate)
}

/** The samples of the batch at hand, under their numbers in the pass. */
export class Window implements Dataset {
  readonly length = Infinity
  readonly #dataset: IterableDataset<unknown>
  readonly #batchSize: number
  readonly #dropLast: boolean
  #iterator: Iterator<unknown> | AsyncIterator<unknown> | null = null
  #place: Place = { epoch: -1, position: 0 }
  #samples: readonly unknown[] = []
  #loading: Promise<boolean> | undefined

  constructor(dataset: IterableDataset<unknown>, batchSize: number, dropLast: boolean) {
    this.#dataset = dataset
    this.#batchSize = batchSize
    this.#dropLast = dropLast
  }

  get(index: number): unknown {
    return this.#samples[index - this.#place.position * this.#batchSize]
  }

  /** Samples of the batch at hand. */
  get size(): number {
    return this.#samples.length
  }

  /** Reads the batch at a place. @returns undefined when it is here; whether there is one, when it had to be read */
  ready(place: Place): Promise<boolean> | undefined {
    if (this.#loading !== undefined) return this.#loading.then(() => this.ready(place) ?? true)
    if (this.#samples.length > 0 && samePlace(place, this.#place)) return undefined
    this.#loading = this.#read(place).finally(() => (this.#loading = undefined))
    return this.#loading
  }

  async close(): Promise<void> {
    const iterator = this.#iterator
    this.#iterator = null
    this.#place = { epoch: -1, position: 0 }
    this.#samples = []
    await iterator?.return?.()
  }

  // After an error the place in the source is unknown, so the next read begins anew.
  async #read(place: Place): Promise<boolean> {
    try {
      return await this.#readBatch(place)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async #readBatch({ epoch, position }: Place): Promise<boolean> {
    let skip = (position - this.#place.position) * this.#batchSize - this.#samples.length
    if (this.#iterator === null || epoch !== this.#place.epoch || skip < 0) {
      await this.close()
      this.#iterator = iteratorOf(this.#dataset.iterate(epoch))
      skip = position * this.#batchSize
    }
    const iterator = this.#iterator
    this.#samples = []
    this.#place = { epoch, position }
    for (; skip > 0; skip--) if ((await iterator.next()).done === true) return this.#finish(position, skip)
    const samples: unknown[] = []
    while (samples.length < this.#batchSize) {
      const next = await iterator.next()
      if (next.done === true) break
      samples.push(next.value)
    }
    if (samples.length === 0 || (this.#dropLast && samples.length < this.#batchSize)) return this.#finish(position, 0)
    this.#samples = samples
    return true
  }

  #finish(position: number, missing: number): false {
    // The last batch of a pass may have been a short one.
    if (missing >= this.#batchSize)
      throw new FirnError(
        'argument',
        `fromIterable: the pass ended ${missing} samples before batch ${position}; it has to give as many samples as before`,
      )
    if (position === 0)
      throw new FirnError('argument', 'fromIterable: a pass gave no batch; it may be that its iterable can be read only once')
    return false
  }
}

function iteratorOf(source: Source<unknown>): Iterator<unknown> | AsyncIterator<unknown> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}

/** What is read of an iterable dataset; null for one that can be gone to anywhere. Fails with code `'argument'` on options that need that. */
export function windowOf<D extends Dataset, Out, Batch>(options: LoaderOptions<D, Out, Batch>, share: Share): Window | null {
  const { batchSize = 1, dropLast = false } = options
  const { dataset } = unmapped(options.dataset)
  if (!(dataset instanceof IterableDataset)) return null
  const odd = (['shuffle', 'sampler', 'workers', 'cache'] as const).filter((name) => options[name])
  if (odd.length > 0)
    throw new FirnError(
      'argument',
      `DataLoader: the samples of an iterable come in turn, and ${odd.join(', ')} would need any of them; leave that out`,
    )
  if (share.worldSize > 1)
    throw new FirnError('argument', 'DataLoader: an iterable is not shared out over processes; read a part of it in each')
  return new Window(dataset, batchSize, dropLast)
}
