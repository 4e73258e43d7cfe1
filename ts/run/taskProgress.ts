// How far a task has come.
import { type Counters, type Round, savedCount, savedNumber, savedRecord, type TaskInfo } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'
import { labelOf, type Task } from './task.ts'

/** What a task runs in. */
export interface Surroundings {
  /** Iterations of a step. */
  readonly window: number
  readonly counters: Readonly<Counters>
  readonly graph: { readonly samples: number }
  readonly rounds: readonly Round[]
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
  readonly #around: Surroundings
  #since: number | null = null
  #earlier = 0

  constructor(task: Task, around: Surroundings) {
    this.label = labelOf(task)
    this.training = task.train
    this.stepMode = task.by === 'steps'
    this.tags = task.tags
    this.total = task.count
    this.#around = around
  }

  get done(): number {
    return this.stepMode ? Math.floor(this.epochSteps / this.#around.window) : this.epochs
  }

  get rounds(): readonly Round[] {
    return this.#around.rounds
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

  /** Begins an epoch, or goes on with the one that was open when the state was saved. */
  begin(): void {
    if (!this.open) {
      this.epochSteps = 0
      this.#earlier = 0
    }
    this.open = true
    this.#since = performance.now()
  }

  end(): void {
    this.open = false
    this.epochs += 1
  }

  stateDict(): StateTree {
    return { epochs: this.epochs, epochSteps: this.epochSteps, open: this.open, seconds: this.open ? this.seconds : 0 }
  }

  loadStateDict(state: StateTree): void {
    const what = `task '${this.label}'`
    const saved = savedRecord(what, state)
    this.epochs = savedCount(what, saved, 'epochs')
    this.epochSteps = savedCount(what, saved, 'epochSteps')
    this.open = saved['open'] === true
    this.#earlier = savedNumber(what, saved, 'seconds')
  }
}
