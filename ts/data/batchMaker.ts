// From indices to a batch: samples, their pipeline, collate.
import { FirnError } from '../errors.ts'
import { tensorScope } from '../tensor/index.ts'
import { columns, joinEqual, settled } from './collate.ts'
import { unmapped } from './compose.ts'
import type { BatchedDataset, Dataset } from './dataset.ts'
import { fillerOf, joinPadded } from './padded.ts'
import { Context, type Stage } from './pipeline.ts'
import { type CacheOptions, SampleCache } from './sampleCache.ts'
import type { Pass } from './sampler.ts'
import { tensorsIn } from './tensorsIn.ts'

/** How samples become a batch. */
export type Collate = (samples: readonly unknown[]) => unknown

/** What makes batches. */
export interface BatchRecipe {
  readonly dataset: Dataset
  readonly stages: readonly Stage<unknown, unknown>[]
  /** @default the dataset's own `batch` if there are no stages, else `collate` */
  readonly collate: Collate | undefined
  readonly cache?: CacheOptions | undefined
}

/** Makes the batch of these samples. */
export type BatchMaker = (indices: readonly number[], pass: Pass) => unknown

/** Makes batches of tensors. What samples were made of is freed. */
export function batchMaker(recipe: BatchRecipe): BatchMaker {
  const make = rawBatches(recipe)
  return (indices, pass) => {
    using scope = tensorScope()
    const batch = settled(make(indices, pass))
    scope.end([...tensorsIn(batch)])
    return batch
  }
}

/** Makes batches that may hold `Rows` where tensors are to be; the functions of `mapped` are stages before others. */
export function rawBatches(recipe: BatchRecipe): BatchMaker {
  const { collate, cache } = recipe
  const { dataset, stages: first } = unmapped(recipe.dataset)
  const stages = [...first, ...recipe.stages]
  if (collate === undefined && cache === undefined && stages.length === 0 && isBatched(dataset)) return (indices) => dataset.batch(indices)
  const join = rawCollate(collate)
  const kept = cache && new SampleCache(cache, dataset, stages, refusePromise)
  const make: MakeSample =
    kept === undefined ? (index, pass) => fresh(dataset, stages, index, pass) : (index, pass) => kept.sample(index, pass)
  return (indices, pass) => join(indices.map((index) => named(make, index, pass)))
}

type MakeSample = (index: number, pass: Pass) => unknown

/** The form of `collate` that leaves rows where it can. */
function rawCollate(collate: Collate | undefined): Collate {
  if (collate === undefined) return (samples) => columns(samples, joinEqual)
  const filler = fillerOf(collate)
  return filler === undefined ? collate : (samples) => columns(samples, (values) => joinPadded(values, filler))
}

function fresh(dataset: Dataset, stages: readonly Stage<unknown, unknown>[], index: number, pass: Pass): unknown {
  const context = new Context(index, pass)
  return stages.reduce((sample, stage) => refusePromise(stage(sample, context)), refusePromise(dataset.get(index, context)))
}

// Says which sample it was that went wrong.
function named(make: MakeSample, index: number, pass: Pass): unknown {
  try {
    return make(index, pass)
  } catch (cause) {
    const code = cause instanceof FirnError ? cause.code : 'argument'
    throw new FirnError(code, `sample ${index}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function refusePromise<T>(value: T): T {
  if (!(value instanceof Promise)) return value
  value.catch(() => {}) // The error below is the one to read.
  throw new FirnError(
    'argument',
    'get and the stages of a pipeline are synchronous, and one returned a promise; read with the Sync functions of node:fs',
  )
}

const isBatched = (dataset: Dataset): dataset is BatchedDataset => 'batch' in dataset && typeof dataset.batch === 'function'
