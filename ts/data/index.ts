// Data: datasets, and loaders that hand them out in batches.
export { collate, type Collated } from './collate.ts'
export { concat, fromArray, mapped, randomSplit, subset } from './compose.ts'
export { type BatchedDataset, type Dataset, type Field, type FieldTensors, TensorDataset } from './dataset.ts'
export { type Cursor, DataLoader } from './loader.ts'
export { type BatchOf, type DefaultBatch, type LoaderOptions, type SampleOf, type Untouched } from './options.ts'
export { Pipeline, pipeline, type SampleContext, type Stage } from './pipeline.ts'
export type { BatchSampler, Share } from './plan.ts'
export { SampleRandom } from './random.ts'
export { type Pass, type Sampler, sequential, shuffled, subsetSampler, weighted, type WeightedOptions } from './sampler.ts'
// For graphs and checkpoints.
export type { Course, Place } from './course.ts'
export { isRecord, tensorsIn } from './tensorsIn.ts'
