// The kinds of events and what each carries.
import type { Json } from '../io/index.ts'
import type { BoundOptimizer, Skipped, Stepped } from '../optim/index.ts'
import type { EpochRecord, RunInfo, TaskInfo } from './context.ts'
import type { EarlyStopped } from './earlyStop.ts'

/** Where a run stood when something happened. */
export interface Place {
  /** Training iterations of the run, the one at work included. */
  readonly step: number
  /** Training epochs finished in the run. */
  readonly epoch: number
  readonly training: boolean
  /** The tags of the task; none outside of one. */
  readonly tags: readonly string[]
  /** In milliseconds since 1970. */
  readonly time: number
}

/** A value that a node reported; at another step where the node says so. */
export interface Reported extends Place {
  /** The node's name. */
  readonly node: string
  readonly name: string
}

/** A node, and what was seen of it. */
export interface SeenNode {
  readonly name: string
  /** The name of its class. */
  readonly kind: string
  readonly phases: readonly string[]
  /** The nodes that it has read so far; null as long as it has not run. */
  readonly reads: readonly string[] | null
}

/** How the numbers of a tensor are spread. */
export interface HistogramSummary {
  /** Finite numbers, which all else is about. */
  readonly count: number
  /** Numbers left out: infinite, or none. */
  readonly nonFinite: number
  /** NaN when `count` is 0. */
  readonly min: number
  readonly max: number
  readonly sum: number
  readonly sumSquares: number
  /** Where each bucket ends, ascending; a number that is equal to an end is in the next one. They grow by a tenth, from 1e-12, to both sides of 0. */
  readonly limits: readonly number[]
  /** Numbers in each bucket; the first and the last have some. */
  readonly counts: readonly number[]
}

/** Pixels row by row, the channels of one next to one another. */
export interface Pixels {
  readonly width: number
  readonly height: number
  /** 1 grey, 2 grey and alpha, 3 red green blue, 4 with alpha. */
  readonly channels: number
  readonly data: Uint8Array
}

/** An optimizer at the end of a window of iterations. */
export interface Updating extends Place {
  /** The ModuleNode's name. */
  readonly node: string
  /** The pattern under which the node was given the optimizer; `.*` where it was given one alone. */
  readonly pattern: string
}

/** What came of an update. */
export interface UpdateRecord extends Updating {
  readonly result: Stepped | Skipped
  /** The learning rate of each group, as it is after the update. */
  readonly lr: readonly number[]
  /** What losses are scaled by; null without a scaler. */
  readonly lossScale: number | null
}

/** Who directs a run from outside: the methods of `graph.control`, a file in the run's folder, a parent process, a signal. */
export type ControlSource = 'control' | 'file' | 'message' | 'SIGINT' | 'SIGTERM'

/** A run is paused, goes on, or stops. */
export interface Directed {
  readonly by: ControlSource
  /** The task at hand; null between two. */
  readonly task: TaskInfo | null
}

/** The events of a run and what each carries. Those without a time of their own come at once; reported values come late, but in order. */
export interface GraphEvents {
  /** A run begins; its folder is there. */
  runStart: RunInfo
  /** The last event of a run, also of one that failed; `seconds` since `runStart`. */
  runEnd: { readonly seconds: number; readonly error?: unknown }
  /** A task begins; its nodes are prepared. The payload is live: it moves on with the task. */
  taskStart: TaskInfo
  /** A task has ended, also by a stop. */
  taskEnd: TaskInfo
  /** An epoch begins, before the nodes hear of it; not in tasks of steps without `simulateEpoch`. */
  epochStart: TaskInfo
  /** An epoch has ended, after the nodes have reported; plain data, which is also in the history of the result. */
  epochEnd: EpochRecord
  /** An iteration begins. */
  iterationStart: TaskInfo
  /** An iteration has ended, and its tensors are freed. */
  iterationEnd: TaskInfo
  /** The first iteration has ended in which these nodes, in the order in which they were added, took part in this mode. */
  graph: Place & { readonly nodes: readonly SeenNode[] }
  /** `board.metric`: a value that is in the record of the epoch. */
  metric: Reported & { readonly value: Json }
  /** `board.scalar`, and the loss of every training iteration of a LossNode, without its weight. */
  scalar: Reported & { readonly value: number }
  /** `board.histogram`. */
  histogram: Reported & HistogramSummary
  /** `board.image`. */
  image: Reported & Pixels
  /** `board.text`. */
  text: Reported & { readonly text: string }
  /** A ModuleNode has given its parameters to its optimizers, here by pattern. */
  optimizers: { readonly node: string; readonly optimizers: Readonly<Record<string, BoundOptimizer>> }
  /** An optimizer has made an update, or skipped one. */
  update: UpdateRecord
  /** The norm of all gradients of an optimizer before clipping, scale and window taken out; computed only where somebody listens. */
  gradNorm: Updating & { readonly value: number }
  /** The patience of a MetricNode is used up; what it ends, ends next. */
  earlyStop: EarlyStopped
  /** A checkpoint is on the disk; it took `seconds` to get there. */
  checkpointSaved: { readonly path: string; readonly bytes: number; readonly seconds: number }
  /** The run is paused, between two iterations. */
  paused: Directed
  /** The run goes on. */
  resumed: Directed
  /** The run is asked to stop; whether to save is not settled yet, and may be asked on the terminal. */
  stopping: Directed
  /** The states of a checkpoint are in the nodes. */
  checkpointLoaded: { readonly path: string }
}
