// Data: datasets, and loaders that hand them out in batches.
export { collate, type Collated } from './collate.ts'
export { type BatchedDataset, type Dataset, type Field, type FieldTensors, TensorDataset } from './dataset.ts'
export { type BatchOf, type Cursor, DataLoader, type LoaderOptions, type SampleOf } from './loader.ts'
export { inOrder, type Sampler, shuffled } from './sampler.ts'
// For graphs and checkpoints.
export { isRecord, tensorsIn } from './tensorsIn.ts'
