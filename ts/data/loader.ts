// Batches of a dataset, in order or shuffled, from any position on.
import { checkOptions, FirnError } from '../errors.ts'
import { tensorScope } from '../tensor/index.ts'
import { type Collated, collate } from './collate.ts'
import type { BatchedDataset, Dataset } from './dataset.ts'
import { inOrder, type Sampler, shuffled } from './sampler.ts'
import { tensorsIn } from './tensorsIn.ts'

/** The sample type of a dataset. */
export type SampleOf<D> = D extends Dataset<infer Sample> ? Sample : never

/** What a loader hands out for a dataset when it is given no `collate`. */
export type BatchOf<D> = D extends BatchedDataset<unknown, infer Batch> ? Batch : Collated<SampleOf<D>>

/** Options of a `DataLoader`. */
export interface LoaderOptions<D extends Dataset, Batch> {
  readonly dataset: D
  /** Samples in a batch. @default 1 */
  readonly batchSize?: number
  /** Whether every epoch has an order of its own. @default false */
  readonly shuffle?: boolean
  /** Whether a last batch with fewer samples is left out. @default false */
  readonly dropLast?: boolean
  /** What the orders depend on. @default 0 */
  readonly seed?: number
  /** Makes a batch of samples. @default the dataset's own `batch`, else `collate` */
  readonly collate?: (samples: readonly SampleOf<D>[]) => Batch
}

/** Where a loader is: `position` batches of `epoch` have been handed out. */
export interface Cursor {
  readonly epoch: number
  readonly position: number
}

/**
 * Batches of a dataset, for `for` and `for await`; each loop is one epoch. A batch is freed when the next one is asked for,
 * except tensors that were kept with `keep()`.
 *
 * @example
 * const loader = new DataLoader({ dataset: mnist({ split: 'train' }), batchSize: 64, shuffle: true })
 * for await (const { image, label } of loader) console.log(image.shape, label.shape)
 */
export class DataLoader<D extends Dataset, Batch = BatchOf<D>> implements Iterable<Batch> {
  /** Batches in an epoch. */
  readonly length: number
  readonly dataset: D
  readonly batchSize: number
  readonly #sampler: Sampler
  readonly #samples: number
  readonly #make: (indices: readonly number[]) => Batch
  #cursor: Cursor = { epoch: 0, position: 0 }

  constructor(options: LoaderOptions<D, Batch>) {
    checkOptions('DataLoader', options, ['dataset', 'batchSize', 'shuffle', 'dropLast', 'seed', 'collate'])
    const { dataset, batchSize = 1, shuffle = false, dropLast = false, seed = 0 } = options
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new FirnError('argument', `DataLoader: batchSize ${batchSize}, expected a whole number from 1`)
    this.length = dropLast ? Math.floor(dataset.length / batchSize) : Math.ceil(dataset.length / batchSize)
    if (this.length === 0)
      throw new FirnError(
        'argument',
        `DataLoader: ${dataset.length} samples make no batch of ${batchSize}${dropLast ? ' with dropLast' : ''}`,
      )
    this.dataset = dataset
    this.batchSize = batchSize
    this.#samples = dataset.length
    this.#sampler = shuffle ? shuffled(dataset.length, seed) : inOrder
    this.#make = batchMaker(options)
  }

  /** The batch at a position of an epoch, whatever was asked for before; it is the caller's to free. */
  at(epoch: number, position: number): Batch {
    return this.#make(this.indices(epoch, position))
  }

  /** The indices of the samples in a batch. */
  indices(epoch: number, position: number): readonly number[] {
    const from = position * this.batchSize
    return Array.from({ length: this.sizeAt(position) }, (_, i) => this.#sampler(epoch, from + i))
  }

  /** Samples in the batch at a position. */
  sizeAt(position: number): number {
    return Math.min(this.batchSize, this.#samples - position * this.batchSize)
  }

  /** Where the loader is, for `loadStateDict`. */
  stateDict(): Cursor {
    return this.#cursor
  }

  /** Goes to a place: the next loop hands out the rest of that epoch. */
  loadStateDict(cursor: Cursor): void {
    this.#cursor = cursor
  }

  *[Symbol.iterator](): Generator<Batch, void, undefined> {
    const { epoch } = this.#cursor
    try {
      for (let { position } = this.#cursor; position < this.length; position++) {
        this.#cursor = { epoch, position: position + 1 }
        const batch = this.at(epoch, position)
        try {
          yield batch
        } finally {
          for (const tensor of tensorsIn(batch)) if (!tensor.isKept) tensor.dispose()
        }
      }
    } finally {
      this.#cursor = { epoch: epoch + 1, position: 0 }
    }
  }
}

// The overload states what the types of the options say and conditional types cannot prove. What samples were made of is freed here.
function batchMaker<D extends Dataset, Batch>(options: LoaderOptions<D, Batch>): (indices: readonly number[]) => Batch
function batchMaker({ dataset, collate: join }: LoaderOptions<Dataset, unknown>): (indices: readonly number[]) => unknown {
  const whole = join === undefined && isBatched(dataset) ? dataset : undefined
  const bySample = (indices: readonly number[]): unknown => (join ?? collate)(indices.map((index) => dataset.get(index)))
  return (indices) => {
    using scope = tensorScope()
    const batch = whole === undefined ? bySample(indices) : whole.batch(indices)
    scope.end([...tensorsIn(batch)])
    return batch
  }
}

const isBatched = (dataset: Dataset): dataset is BatchedDataset => 'batch' in dataset && typeof dataset.batch === 'function'
