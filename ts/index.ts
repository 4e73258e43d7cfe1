// firn: train neural networks from TypeScript.

// Tensors, their scopes, the generator.
export {
  add,
  arange,
  bernoulli,
  blockDiag,
  broadcastTensors,
  cartesianProd,
  cat,
  cauchy,
  columnStack,
  div,
  dstack,
  empty,
  emptyLike,
  exponential,
  eye,
  fft,
  full,
  fullLike,
  Generator,
  geometric,
  hstack,
  linalg,
  linspace,
  logNormal,
  logspace,
  maximum,
  memory,
  meshgrid,
  minimum,
  mul,
  multinomial,
  normal,
  ones,
  onesLike,
  pow,
  rand,
  randint,
  randLike,
  randn,
  randnLike,
  randperm,
  rngState,
  seed,
  setRngState,
  stack,
  sub,
  Tensor,
  tensor,
  TensorScope,
  tensorScope,
  tidy,
  trilIndices,
  triuIndices,
  uniform,
  vstack,
  where,
  withSeed,
  zeros,
  zerosLike,
  type CreateOptions,
  type DType,
  type FloatDType,
  type Indexing,
  type Memory,
  type MemorySite,
  type PadMode,
  type Pair,
  type RandomOptions,
  type Reduction,
  type RngState,
  type SliceRange,
  type TensorData,
  type Triple,
} from './tensor/index.ts'
export * from './autograd/index.ts'
// Layers and `F`.
export * as nn from './nn/index.ts'
export { F, init } from './nn/index.ts'
// Optimizers and schedules.
export * as optim from './optim/index.ts'
// Files.
export { loadSafetensors, saveSafetensors } from './io/index.ts'
// The graph, its tasks and what watches them.
export {
  DatasetNode,
  ExecutableGraph,
  LossNode,
  meter,
  MetricNode,
  ModuleNode,
  Node,
  StopAllTasks,
  StopTask,
  type EpochRecord,
  type EventSource,
  type GraphEvents,
  type GraphOutputCache,
  type Meter,
  type NodeHooks,
  type Tags,
} from './graph/index.ts'
export * from './run/index.ts'
export * from './observe/index.ts'
// Data.
export { collate, DataLoader, TensorDataset, type BatchedDataset, type Dataset, type LoaderOptions } from './data/index.ts'
export { nativeInfo } from './backend/index.ts'
export { FirnError, type FirnErrorCode } from './errors.ts'
