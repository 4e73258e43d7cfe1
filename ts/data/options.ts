// Options of loaders, and their checks.
import { checkOptions, FirnError } from '../errors.ts'
import type { Collated } from './collate.ts'
import type { BatchedDataset, Dataset } from './dataset.ts'
import type { Pipeline, Stage } from './pipeline.ts'
import { type BatchSampler, planBatches, type Share, shareBatches } from './plan.ts'
import { type CacheOptions, checkCache } from './sampleCache.ts'
import { type Sampler, sequential, shuffled } from './sampler.ts'

/** The sample type of a dataset. */
export type SampleOf<D> = D extends Dataset<infer Sample> ? Sample : never

/** What a loader hands out for a dataset when it is given neither `pipeline` nor `collate`. */
export type BatchOf<D> = D extends BatchedDataset<unknown, infer Batch> ? Batch : Collated<SampleOf<D>>

/** Stands for the samples of the dataset, where there is no pipeline. */
export interface Untouched {
  readonly untouched: unique symbol
}

/** What a loader hands out when it is given no `collate`. */
export type DefaultBatch<D, Out> = Out extends Untouched ? BatchOf<D> : Collated<Out>

/** Options of a `DataLoader`. */
export interface LoaderOptions<D extends Dataset, Out, Batch> {
  readonly dataset: D
  /** Samples in a batch. @default 1 */
  readonly batchSize?: number
  /** Whether `batchSize` counts the samples of all processes; each then takes its share, the first ones what is left over. @default false */
  readonly batchSizeInTotal?: boolean
  /** Whether every epoch has an order of its own. @default false */
  readonly shuffle?: boolean
  /** The order, instead of `shuffle`; of samples, or of batches, instead of `batchSize` and `dropLast`. */
  readonly sampler?: Sampler | BatchSampler
  /** Whether a last batch with fewer samples is left out. @default false */
  readonly dropLast?: boolean
  /** Batches in an epoch; the next epoch goes on in the data where this one stopped. @default one pass over the data */
  readonly iterationsPerEpoch?: number
  /** What orders and pipelines depend on. @default 0 */
  readonly seed?: number
  /** A function over each sample, or several made with `pipeline(a, b, c)`. */
  readonly pipeline?: Stage<SampleOf<D>, Out> | Pipeline<SampleOf<D>, Out>
  /** Threads that load samples and make batches; 0 makes them when they are asked for. The data is the same. @default 0 */
  readonly workers?: number
  /** Batches that each worker makes ahead. @default 2 */
  readonly prefetch?: number
  /**
   * Keeps samples in files, as they are before the first stage of the pipeline that looks at `random` or `epoch`. A file that is damaged, or
   * of another version or pipeline, is made anew. @default nothing is kept
   */
  readonly cache?: CacheOptions
  /** Makes a batch of samples. @default the dataset's own `batch` where there is no pipeline, else `collate` */
  readonly collate?: (samples: readonly (Out extends Untouched ? SampleOf<D> : Out)[]) => Batch
}

const known = [
  'dataset',
  'batchSize',
  'batchSizeInTotal',
  'shuffle',
  'sampler',
  'dropLast',
  'iterationsPerEpoch',
  'seed',
  'pipeline',
  'workers',
  'prefetch',
  'cache',
  'collate',
] as const

/** Refuses options that do not exist, are out of range, or contradict each other. */
export function checkLoader<D extends Dataset, Out, Batch>(what: string, options: LoaderOptions<D, Out, Batch>): void {
  checkOptions(what, options, known)
  checkDataset(what, options.dataset)
  const { batchSize = 1, iterationsPerEpoch = 1, seed = 0, workers = 0, prefetch = 1, sampler } = options
  for (const [name, value, least] of [
    ['batchSize', batchSize, 1],
    ['iterationsPerEpoch', iterationsPerEpoch, 1],
    ['seed', seed, 0],
    ['workers', workers, 0],
    ['prefetch', prefetch, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least)
      throw new FirnError('argument', `${what}: ${name} ${value}, expected a whole number from ${least}`)
  }
  if (options.cache !== undefined) checkCache(what, options.cache)
  if (workers === 0 && 'prefetch' in options)
    throw new FirnError(
      'argument',
      `${what}: prefetch is what workers make ahead, and there are none; give workers, too, or leave prefetch out`,
    )
  if (workers > 0 && 'pipeline' in options) {
    throw new FirnError(
      'argument',
      `${what}: the functions of a pipeline do not cross to workers. Move them into the module that makes the dataset: export default (args) => mapped(dataset, ...stages), and give dataset: await fromModule(new URL('./my-data.ts', import.meta.url), args)`,
    )
  }
  if (sampler === undefined) return
  const extra = ['shuffle', ...('batch' in sampler ? ['batchSize', 'batchSizeInTotal', 'dropLast'] : [])].filter((name) => name in options)
  if (extra.length > 0)
    throw new FirnError('argument', `${what}: the sampler decides what is in which batch; leave ${extra.join(', ')} out`)
}

// Seen where types are not checked; a dataset that is read from files is a promise until it is awaited.
function checkDataset(what: string, dataset: unknown): void {
  const is = (name: string, type: string): boolean => dataset instanceof Object && typeof Reflect.get(dataset, name) === type
  if (is('length', 'number') && is('get', 'function')) return
  const given = dataset instanceof Promise ? 'a promise; await it' : `${String(dataset)}, expected an object with length and get(index)`
  throw new FirnError('argument', `${what}: dataset is ${given}`)
}

/** Samples of an iterable, whose number is unknown. */
const endless: Sampler = { length: Infinity, index: (position) => position }

/** The batches that a process takes. */
export function batchesOf<D extends Dataset, Out, Batch>(what: string, options: LoaderOptions<D, Out, Batch>, share: Share): BatchSampler {
  const { dataset, batchSize = 1, dropLast = false, shuffle = false, batchSizeInTotal: inTotal = false } = options
  const { sampler = shuffle ? shuffled(dataset.length) : dataset.length === Infinity ? endless : sequential(dataset.length) } = options
  return 'batch' in sampler ? shareBatches(what, sampler, share) : planBatches(what, sampler, { batchSize, dropLast, inTotal, share })
}
