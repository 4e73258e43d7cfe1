// What a node sees of the run around it.
import type { GradScaler } from '../amp/index.ts'
import type { AutocastOptions } from '../autograd/index.ts'
import type { Json } from '../io/index.ts'
import type { EarlyStopped } from './earlyStop.ts'
import type { EventHub } from './events.ts'
import type { Probe } from './probe.ts'

/** Which of several processes this is; a single one is rank 0 of 1. */
export interface Launcher {
  readonly rank: number
  readonly worldSize: number
}

/** The facts of a run, fixed at its start. */
export interface RunInfo {
  readonly device: string
  readonly seed: number
  /** `<runId>_<date>_<random>`: the name of the out directory. */
  readonly runId: string
  /** Null in `graph.step`, which writes nothing. */
  readonly outDir: string | null
  readonly launcher: Launcher
  /** What `hparams` read from the command line, if it did. */
  readonly hparams: Readonly<Record<string, Json>>
}

/** How far a run has come. Iterations are counted as they begin; one whose forward gives up is taken back. */
export interface Counters {
  trainIterations: number
  evalIterations: number
  trainEpochs: number
}

/** Counters of a run that has not begun. */
export const freshCounters = (): Counters => ({ trainIterations: 0, evalIterations: 0, trainEpochs: 0 })

/** A round of a repeat. */
export interface Round {
  /** From 1. */
  readonly round: number
  readonly times: number
}

/** Something that goes on until it is over or stopped early: the run, a repeat, a training, a task of several epochs. */
export interface Work {
  /** `run`, `repeat`, or the label of a task. */
  readonly label: string
  /** Tells it from every other of the run; the same in a resumed one. */
  readonly key: string
}

/** The task at hand, and how far it has come. */
export interface TaskInfo {
  /** What it is, without how long: `train by epochs, tags train`. */
  readonly label: string
  readonly training: boolean
  /** True when the task counts updates, false when it counts epochs. */
  readonly stepMode: boolean
  readonly tags: readonly string[]
  /** Epochs, or steps, that the task was asked for. */
  readonly total: number
  /** Epochs, or steps, that it has finished. */
  readonly done: number
  /** Iterations finished since the epoch began, in step mode since the task began; so the 0-based index of the one at work. */
  readonly epochSteps: number
  /** Iterations in an epoch; 0 in step mode. */
  readonly epochSize: number
  /** The rounds at work of the repeats around the task, outermost first. */
  readonly rounds: readonly Round[]
  /** What goes on around the task, outermost first; a task of several epochs is the last of them itself. */
  readonly works: readonly Work[]
  /** Samples that the dataset nodes handed out since the epoch began. */
  readonly samples: number
  /** Training iterations of the run so far. */
  readonly trainSteps: number
  /** Training epochs finished in the run. */
  readonly trainEpochs: number
}

/** What is known at the end of an epoch; plain data. */
export interface EpochRecord {
  readonly label: string
  readonly training: boolean
  readonly tags: readonly string[]
  /** Training epochs finished in this run, this one included. */
  readonly epoch: number
  /** Training iterations finished in this run. */
  readonly step: number
  readonly iterations: number
  /** Samples that the dataset nodes handed out in this epoch. */
  readonly samples: number
  readonly seconds: number
  /** What nodes reported, by node name. */
  readonly metrics: Readonly<Record<string, Json>>
}

/** The state of a run, read by nodes through their members. */
export interface RunContext {
  readonly info: RunInfo
  readonly counters: Counters
  readonly gradAccSteps: number
  /** What losses are scaled by; null without. */
  readonly gradScaler: GradScaler | null
  /** The region that forward runs in; null without. */
  readonly autocast: AutocastOptions | null
  readonly events: EventHub
  /** Who prints outputs. */
  readonly probes: readonly Probe[]
  /** What nodes reported since the epoch began. */
  readonly metrics: Map<string, Json>
  /** Writes a checkpoint of the whole run under this name. */
  save(name: string): Promise<string>
  /** What nodes want done when the epoch at hand is over for all of them, so that a checkpoint holds the whole of it. */
  readonly atEpochEnd: (() => Promise<void>)[]
  /** What was stopped early so far. */
  readonly earlyStops: EarlyStopped[]
  task: TaskInfo | null
}
