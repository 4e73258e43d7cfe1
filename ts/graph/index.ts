// The graph: nodes, the graphs that tags select from them, meters, events.
export { type Board, placeOf, type ReportOptions } from './board.ts'
export type { CacheAccess, GraphOutputCache } from './cache.ts'
export type { NodeTime, TimeListener } from './clock.ts'
export {
  type Counters,
  type EpochRecord,
  freshCounters,
  type Launcher,
  type Round,
  type RunContext,
  type RunInfo,
  type TaskInfo,
  type Work,
} from './context.ts'
export { DatasetNode } from './datasetNode.ts'
export type {
  ControlSource,
  Directed,
  GraphEvents,
  HistogramSummary,
  Pixels,
  Place,
  Reported,
  SeenNode,
  UpdateRecord,
  Updating,
} from './eventKinds.ts'
export { EventHub, type EventSource, type ListenOptions, type Listener, type Observer } from './events.ts'
export { ExecutableGraph } from './executableGraph.ts'
export type { Loss, SummedLoss } from './losses.ts'
export { LossNode, type LossNodeOptions } from './lossNode.ts'
export type { Meter } from './meters/meter.ts'
export * as meter from './meters/index.ts'
export { newest, type SaveBestOptions } from './best.ts'
export { type EarlyStopOptions, type EarlyStopped, earlyStopLine, loadEarlyStops } from './earlyStop.ts'
export type { Best, WatchedOptions } from './watched.ts'
export { MetricNode, type MetricNodeOptions } from './metricNode.ts'
export type { DistributedOptions } from './distributed.ts'
export { ModuleNode, type ModuleNodeOptions } from './moduleNode.ts'
export type { NodeHooks, Resources } from './hooks.ts'
export { type AnyNode, Node } from './node.ts'
export { NodeSet } from './nodeSet.ts'
export { Probe, type ProbeOptions } from './probe.ts'
export { refuseOptions } from './refuse.ts'
export { loadHistory, loadMetrics } from './history.ts'
export { savedCount, savedJson, savedNumber, savedRecord } from './savedState.ts'
export { EarlyStop, firstStop, isStop, type Stop, StopAllTasks, stopOf, StopTask } from './stop.ts'
export { matches, tagList, type Tags } from './tags.ts'
