// From indices to a batch: samples, their pipeline, collate.
import { FirnError } from '../errors.ts'
import { tensorScope } from '../tensor/index.ts'
import { collate } from './collate.ts'
import type { BatchedDataset, Dataset } from './dataset.ts'
import { Context, type Stage } from './pipeline.ts'
import type { Pass } from './sampler.ts'
import { tensorsIn } from './tensorsIn.ts'

/** What makes batches. */
export interface BatchRecipe {
  readonly dataset: Dataset
  readonly stages: readonly Stage<unknown, unknown>[]
  /** @default the dataset's own `batch` if there are no stages, else `collate` */
  readonly collate: ((samples: readonly unknown[]) => unknown) | undefined
}

/** Makes the batch of these samples. */
export type BatchMaker = (indices: readonly number[], pass: Pass) => unknown

/** What samples were made of is freed; the tensors of the batch stay. */
export function batchMaker(recipe: BatchRecipe): BatchMaker {
  const make = plain(recipe)
  return (indices, pass) => {
    using scope = tensorScope()
    const batch = make(indices, pass)
    scope.end([...tensorsIn(batch)])
    return batch
  }
}

function plain({ dataset, stages, collate: join = collate, collate: own }: BatchRecipe): BatchMaker {
  if (own === undefined && stages.length === 0 && isBatched(dataset)) return (indices) => dataset.batch(indices)
  return (indices, pass) => join(indices.map((index) => sampleAt(dataset, stages, index, pass)))
}

function sampleAt(dataset: Dataset, stages: readonly Stage<unknown, unknown>[], index: number, pass: Pass): unknown {
  const context = new Context(index, pass)
  try {
    let sample = refusePromise(dataset.get(index, context))
    for (const stage of stages) sample = refusePromise(stage(sample, context))
    return sample
  } catch (cause) {
    const code = cause instanceof FirnError ? cause.code : 'argument'
    throw new FirnError(code, `sample ${index}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function refusePromise(value: unknown): unknown {
  if (!(value instanceof Promise)) return value
  value.catch(() => {}) // The error below is the one to read.
  throw new FirnError(
    'argument',
    'get and the stages of a pipeline are synchronous, and one returned a promise; read with the Sync functions of node:fs',
  )
}

const isBatched = (dataset: Dataset): dataset is BatchedDataset => 'batch' in dataset && typeof dataset.batch === 'function'
