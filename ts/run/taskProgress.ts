// How far a task has come.
import {
  type Counters,
  EarlyStop,
  type Round,
  savedCount,
  savedJson,
  savedNumber,
  savedRecord,
  StopTask,
  type TaskInfo,
  type Work,
} from '../graph/index.ts'
import type { Json, StateTree } from '../io/index.ts'
import { labelOf, type Task } from './task.ts'

/** What a task runs in. */
export interface Surroundings {
  /** Iterations of a step. */
  readonly window: number
  readonly counters: Readonly<Counters>
  readonly graph: { readonly samples: number }
  readonly rounds: readonly Round[]
  readonly works: readonly Work[]
}

/** The task at hand as nodes and listeners see it, and as the runner moves it on. */
export class TaskProgress implements TaskInfo {
  readonly label: string
  readonly training: boolean
  readonly stepMode: boolean
  readonly tags: readonly string[]
  readonly total: number
  epochSteps = 0
  epochSize = 0
  /** Epochs finished; in step mode the whole task is one. */
  epochs = 0
  /** Whether an epoch has begun and not ended. */
  open = false
  /** What ends the task before its time, or more than the task. */
  stop: StopTask | EarlyStop | null = null
  /** What of the epoch is set aside while tasks in the middle of this one are at work; null while none are. */
  aside: Json = null
  readonly #around: Surroundings
  /** Steps from one time of those tasks to the next; Infinity when there are none. */
  readonly #every: number
  /** When those tasks last ran. */
  #interlude = 0
  #earlierSteps = 0
  #since: number | null = null
  #earlier = 0

  constructor(task: Task, around: Surroundings) {
    this.label = labelOf(task)
    this.training = task.train
    this.stepMode = task.by === 'steps'
    this.tags = task.tags
    this.total = task.count
    this.#every = task.every?.steps ?? Infinity
    this.#around = around
  }

  get done(): number {
    return this.stepMode ? Math.floor(this.epochSteps / this.#around.window) : this.epochs
  }

  /** Steps in all epochs so far; a window that the end of an epoch closed is one. */
  get steps(): number {
    return this.#earlierSteps + (this.open ? Math.floor(this.epochSteps / this.#around.window) : 0)
  }

  /** Whether it is time for the tasks in the middle of this one. */
  get isInterludeDue(): boolean {
    return Math.floor(this.steps / this.#every) > Math.floor(this.#interlude / this.#every)
  }

  /** Notes that the tasks in the middle of this one have been run. */
  interludeOver(): void {
    this.aside = null
    this.#interlude = this.steps
  }

  get rounds(): readonly Round[] {
    return this.#around.rounds
  }

  get works(): readonly Work[] {
    return this.#around.works
  }

  get trainSteps(): number {
    return this.#around.counters.trainIterations
  }

  get trainEpochs(): number {
    return this.#around.counters.trainEpochs
  }

  get samples(): number {
    return this.#around.graph.samples
  }

  /** Seconds that the epoch at work took so far, without those between a kill and a resume, and those of something else meanwhile. */
  get seconds(): number {
    return this.#earlier + (this.#since === null ? 0 : performance.now() - this.#since) / 1000
  }

  /** Does something between two iterations whose time is not this task's. */
  async apart(work: () => Promise<void>): Promise<void> {
    this.#earlier = this.seconds
    this.#since = null
    try {
      await work()
    } finally {
      this.#since = performance.now()
    }
  }

  /** Begins an epoch, which is open once its nodes know of it, or goes on with the one that was open when the state was saved. */
  begin(): void {
    if (!this.open) {
      this.epochSteps = 0
      this.#earlier = 0
    }
    this.#since = performance.now()
  }

  end(): void {
    this.open = false
    this.epochs += 1
    this.#earlierSteps += Math.ceil(this.epochSteps / this.#around.window)
  }

  stateDict(): StateTree {
    const { epochs, epochSteps, open, aside } = this
    const stop = this.stop && { kind: this.stop.name, message: this.stop.message }
    const steps = { earlierSteps: this.#earlierSteps, interlude: this.#interlude }
    return { epochs, epochSteps, open, seconds: open ? this.seconds : 0, ...steps, aside, stop }
  }

  loadStateDict(state: StateTree): void {
    const what = `task '${this.label}'`
    const saved = savedRecord(what, state)
    this.epochs = savedCount(what, saved, 'epochs')
    this.epochSteps = savedCount(what, saved, 'epochSteps')
    this.open = saved['open'] === true
    this.#earlier = savedNumber(what, saved, 'seconds')
    this.#earlierSteps = savedCount(what, saved, 'earlierSteps')
    this.#interlude = savedCount(what, saved, 'interlude')
    this.aside = savedJson(what, saved['aside'])
    this.stop = stopIn(what, saved['stop'] ?? null)
  }
}

function stopIn(what: string, saved: StateTree): StopTask | EarlyStop | null {
  if (saved === null) return null
  const { kind, message } = savedRecord(what, saved)
  return kind === 'EarlyStop' ? new EarlyStop(String(message)) : new StopTask(String(message))
}
