// Pause, resume, save and stop, asked for from outside and done between two iterations.
import { FirnError } from '../errors.ts'
import { type ControlSource, type EventHub, StopAllTasks, type TaskInfo } from '../graph/index.ts'

/** What a run can be asked to do. */
export const controlKinds = ['pause', 'resume', 'save', 'stop'] as const
export type ControlKind = (typeof controlKinds)[number]

/** How a run was stopped. */
export interface Stopped {
  /** Who asked for it; `'StopAllTasks'` when a hook, a listener or a call threw that, `'earlyStop'` when a MetricNode did. */
  readonly by: ControlSource | 'StopAllTasks' | 'earlyStop'
  /** The checkpoint saved on the way, for `resumeFrom`; null without. */
  readonly checkpoint: string | null
}

/** Options of `control.stop`. */
export interface StopOptions {
  /** Whether to save a checkpoint first. @default true */
  readonly save?: boolean
}

/**
 * Directs the run at work from outside of it. Each call waits for the iteration, or the item between two tasks, to end; its promise settles
 * once the thing is done. Hooks, listeners and calls of the run itself must not await it, because the run waits for them; what they can
 * do instead is `await graph.saveCheckpoint()` and `throw new StopAllTasks()`.
 *
 * @example
 * const run = graph.run([train({ steps: 1000 })])
 * await graph.control.pause()
 * const path = await graph.control.save()
 * await graph.control.stop({ save: false })
 * const { stopped } = await run
 */
export interface RunControl {
  /** What the run does; `'idle'` when none is at work. */
  readonly state: 'idle' | 'running' | 'paused' | 'stopping'
  /** Holds the run until `resume`, or its end by `stop`. */
  pause(): Promise<void>
  /** Lets a paused run go on; one that runs is left alone. */
  resume(): Promise<void>
  /** Saves a checkpoint, also while paused. @returns the path */
  save(): Promise<string>
  /** Ends the run as `StopAllTasks` does, after saving a checkpoint; `graph.run` then returns. */
  stop(options?: StopOptions): Promise<void>
}

/** A request, and whom to tell that it is done. */
interface Request {
  readonly kind: ControlKind
  readonly by: ControlSource
  /** Asked, at a `stop`, whether to save. */
  readonly wantsSave: () => boolean | Promise<boolean>
  done(checkpoint: string | null): void
  failed(error: unknown): void
}

/** What the control needs of a run. */
export interface Controlled {
  readonly events: EventHub
  task(): TaskInfo | null
  save(): Promise<string>
  /** Looks from time to time whether somebody left a request. */
  look(): void
}

// Somebody who leaves a request waits this long for it at most, and for the iteration at work.
const lookEveryMs = 500

/** The control of one graph's runs, and the side of it that the runner works. */
export class Control implements RunControl {
  #run: Controlled | null = null
  #awaited = false
  #state: 'running' | 'paused' | 'stopping' = 'running'
  #requests: Request[] = []
  #wake: (() => void) | null = null
  #looked = performance.now()
  #stopped: Stopped | null = null

  get state(): RunControl['state'] {
    return this.#awaited ? this.#state : 'idle'
  }

  async pause(): Promise<void> {
    await this.ask('pause', 'control')
  }

  async resume(): Promise<void> {
    await this.ask('resume', 'control')
  }

  async save(): Promise<string> {
    return (await this.ask('save', 'control')) ?? ''
  }

  async stop({ save = true }: StopOptions = {}): Promise<void> {
    await this.ask('stop', 'control', () => save)
  }

  /** Notes a request. @returns the checkpoint that was saved, if one was, once it is done */
  ask(kind: ControlKind, by: ControlSource, wantsSave: Request['wantsSave'] = () => true): Promise<string | null> {
    return new Promise((done, failed) => {
      if (!this.#awaited) {
        const remedy = kind === 'save' ? '; graph.saveCheckpoint() saves at any time' : ''
        throw new FirnError('graph', `graph.control.${kind}: no run is at work${remedy}`)
      }
      this.#requests.push({ kind, by, wantsSave, done, failed })
      this.#wake?.()
    })
  }

  /** Whether there is something to do at the boundary of iterations that the run has come to. */
  get isAsked(): boolean {
    return this.#requests.length > 0
  }

  /** How the run was stopped from outside, if it was. */
  get stopped(): Stopped | null {
    return this.#stopped
  }

  /** A run is about to begin. What is asked for from now on is done once it has. */
  expect(): void {
    this.#awaited = true
    this.#state = 'running'
    this.#stopped = null
  }

  /** The run begins. */
  begin(run: Controlled): void {
    this.#run = run
  }

  /** Looks for requests if it is time to, on the way from one iteration to the next. */
  lookIfDue(): void {
    if (performance.now() - this.#looked < lookEveryMs) return
    this.#looked = performance.now()
    this.#run?.look()
  }

  /** Does what was asked for, and while the run is paused waits for more. A stop throws `StopAllTasks`. */
  async serve(): Promise<void> {
    do {
      for (let request = this.#requests.shift(); request !== undefined; request = this.#requests.shift()) {
        await this.#do(request)
        if (this.#stopped !== null) throw new StopAllTasks(`stopped by ${this.#stopped.by}`)
      }
      if (this.#state === 'paused') await this.#sleep()
    } while (this.#requests.length > 0)
  }

  /** The run has ended. What was asked for too late is refused. */
  end(): void {
    this.#run = null
    this.#awaited = false
    const late = this.#requests
    this.#requests = []
    for (const { kind, failed } of late) failed(new FirnError('graph', `graph.control.${kind}: the run ended first`))
  }

  async #do(request: Request): Promise<void> {
    const { kind, by, wantsSave } = request
    switch (kind) {
      case 'pause':
        await this.#turn('paused', 'paused', by)
        return request.done(null)
      case 'resume':
        await this.#turn('running', 'resumed', by)
        return request.done(null)
      case 'save':
        return void (await this.#save(request))
      case 'stop': {
        const before = this.#state
        await this.#turn('stopping', 'stopping', by)
        if (!(await wantsSave())) {
          this.#stopped = { by, checkpoint: null }
          return request.done(null)
        }
        const checkpoint = await this.#save(request)
        if (checkpoint === null) this.#state = before
        else this.#stopped = { by, checkpoint }
      }
    }
  }

  // One that fails costs nobody the run, which goes on.
  async #save(request: Request): Promise<string | null> {
    try {
      const path = await this.#atWork().save()
      request.done(path)
      return path
    } catch (error) {
      console.warn(
        `${request.kind}: no checkpoint was saved, and the run goes on: ${error instanceof Error ? error.message : String(error)}`,
      )
      request.failed(error)
      return null
    }
  }

  async #turn(state: 'running' | 'paused' | 'stopping', event: 'paused' | 'resumed' | 'stopping', by: ControlSource): Promise<void> {
    if (this.#state === state) return
    this.#state = state
    const { events, task } = this.#atWork()
    events.emit(event, () => ({ by, task: task() }))
    await events.settle()
  }

  // The timer keeps the process alive, which has nothing else to do.
  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setInterval(() => this.#run?.look(), lookEveryMs)
      this.#wake = () => {
        clearInterval(timer)
        this.#wake = null
        resolve()
      }
    })
  }

  #atWork(): Controlled {
    if (this.#run === null) throw new FirnError('internal', 'control: no run is at work')
    return this.#run
  }
}
