// What a graph tells those who listen; silent and free of cost when nobody does.
import type { Json } from '../io/index.ts'
import type { BoundOptimizer } from '../optim/index.ts'
import type { EpochRecord, RunInfo, TaskInfo } from './context.ts'

/** The events of a run and what each carries. */
export interface GraphEvents {
  runStart: RunInfo
  /** The last event of a run, also of one that failed. */
  runEnd: { readonly seconds: number; readonly error?: unknown }
  taskStart: TaskInfo
  taskEnd: TaskInfo
  epochStart: TaskInfo
  epochEnd: EpochRecord
  iterationStart: TaskInfo
  iterationEnd: TaskInfo
  /** A value that a node reported, at `step` of training. */
  metric: { readonly node: string; readonly name: string; readonly value: Json; readonly training: boolean; readonly step: number }
  /** A ModuleNode has given its parameters to its optimizers, here by pattern. */
  optimizers: { readonly node: string; readonly optimizers: Readonly<Record<string, BoundOptimizer>> }
  checkpointSaved: { readonly path: string; readonly bytes: number; readonly seconds: number }
  checkpointLoaded: { readonly path: string }
}

/** A listener may be async; the run waits for it between two iterations. */
export type Listener<Payload> = (payload: Payload) => void | Promise<void>

/** Somebody who watches a graph: a progress bar, a log. */
export type Observer = (events: EventSource) => void

/** The side of the events that is open to listeners. */
export interface EventSource {
  /** Calls `listener` at each event of this kind until the function that is returned is called. */
  on<Kind extends keyof GraphEvents>(kind: Kind, listener: Listener<GraphEvents[Kind]>): () => void
}

type Listeners = { readonly [Kind in keyof GraphEvents]: Set<Listener<GraphEvents[Kind]>> }

/** The listeners of one graph. */
export class EventHub implements EventSource {
  readonly #listeners: Listeners = {
    runStart: new Set(),
    runEnd: new Set(),
    taskStart: new Set(),
    taskEnd: new Set(),
    epochStart: new Set(),
    epochEnd: new Set(),
    iterationStart: new Set(),
    iterationEnd: new Set(),
    metric: new Set(),
    optimizers: new Set(),
    checkpointSaved: new Set(),
    checkpointLoaded: new Set(),
  }
  #waiting: Promise<void>[] = []

  on<Kind extends keyof GraphEvents>(kind: Kind, listener: Listener<GraphEvents[Kind]>): () => void {
    this.#listeners[kind].add(listener)
    return () => void this.#listeners[kind].delete(listener)
  }

  /** Tells the listeners; `payload` is only called when there are some. */
  emit<Kind extends keyof GraphEvents>(kind: Kind, payload: () => GraphEvents[Kind]): void {
    const listeners = this.#listeners[kind]
    if (listeners.size === 0) return
    const value = payload()
    for (const listener of listeners) {
      const result = listener(value)
      if (!(result instanceof Promise)) continue
      result.catch(() => {}) // Thrown by settle, once the loop gets there.
      this.#waiting.push(result)
    }
  }

  /** What async listeners still do; undefined when there is nothing to wait for. */
  settle(): Promise<unknown> | undefined {
    if (this.#waiting.length === 0) return undefined
    const waiting = this.#waiting
    this.#waiting = []
    return Promise.all(waiting)
  }
}
