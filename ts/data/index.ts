// Data: datasets, and loaders that hand them out in batches.
export { bucketed, type BucketOptions } from './buckets.ts'
export { collate, type Collated, type RowDType } from './collate.ts'
export { concat, fromArray, mapped, mappedEntry, randomSplit, type Replaced, subset } from './compose.ts'
export { type BatchedDataset, type Dataset, type Field, type FieldTensors, TensorDataset } from './dataset.ts'
export {
  centerCrop,
  type CropOptions,
  type FlipOptions,
  type Image,
  type ImageSize,
  normalize,
  randomCrop,
  randomFlip,
  resize,
  toTensor,
} from './image.ts'
export { fromIterable, IterableDataset, type Source } from './iterable.ts'
export { type Cursor, DataLoader } from './loader.ts'
export { type BatchOf, type DefaultBatch, type LoaderOptions, type SampleOf, type Untouched } from './options.ts'
export { fromModule, type Origin, type PortableDataset } from './origin.ts'
export { padded, type PaddedOptions } from './padded.ts'
export { Pipeline, pipeline, type SampleContext, type Stage } from './pipeline.ts'
export type { BatchSampler, Share } from './plan.ts'
export { SampleRandom } from './random.ts'
export type { CacheOptions } from './sampleCache.ts'
export { type Pass, type Sampler, sequential, shuffled, subsetSampler, weighted, type WeightedOptions } from './sampler.ts'
// For graphs and checkpoints.
export type { Course, Place } from './course.ts'
export { isRecord, tensorsIn } from './tensorsIn.ts'
