// Runs: tasks, what runs them, checkpoints, and the HyperGraph that offers it all.
export { readCheckpoint } from './checkpointFile.ts'
export { HyperGraph, type StepOptions } from './hyperGraph.ts'
export { hparams, type HparamsOptions, type HparamsSchema } from './hparams.ts'
export { describeTasks } from './describeTasks.ts'
export type { RunControl, Stopped, StopOptions } from './control.ts'
export type { Metrics, RunResult } from './result.ts'
export type { RunOptions } from './start.ts'
export {
  call,
  type Call,
  type CallFunction,
  evaluate,
  type Every,
  type Length,
  loadCheckpoint,
  type LoadCheckpoint,
  repeat,
  type Repeat,
  saveCheckpoint,
  type SaveCheckpoint,
  type SaveOptions,
  task,
  type Task,
  type TaskGraph,
  type TaskLike,
  type TaskOptions,
  train,
  type TrainOptions,
} from './task.ts'
