// What a graph tells those who listen; silent and free of cost when nobody does.
import { checkOptions, FirnError, unknownName } from '../errors.ts'
import { Clock, type TimeListener } from './clock.ts'
import type { GraphEvents } from './eventKinds.ts'
import { LateValues } from './lateValues.ts'

/** A listener may be async; the run waits for it between two iterations. */
export type Listener<Payload> = (payload: Payload) => void | Promise<void>

/** Somebody who watches a graph: a progress bar, a log. */
export type Observer = (events: EventSource) => void

/** Events that come in iterations, so that a listener may hear of some of these only. */
const sampled = ['iterationEnd', 'scalar', 'histogram', 'image', 'text', 'update', 'gradNorm'] as const
type Sampled = (typeof sampled)[number]

/** Options of a listener. */
export interface ListenOptions {
  /**
   * Listens in every so many iterations: those whose number in the run, from 1, is a multiple. In the others nothing is made or computed
   * for this listener. What happens between two iterations, as in `epochEnd` of a node, is heard in any case.
   * @default 1
   */
  readonly every?: number
}

/** The side of the events that is open to listeners. */
export interface EventSource {
  /**
   * Calls `listener` at each event of this kind until the function that is returned is called. An error of a listener ends the run: at once
   * where it is thrown, at the next boundary of iterations where an async listener rejects, or any listener of a value that comes late; `StopTask` and `StopAllTasks` end the task
   * or the run in good order.
   *
   * @example
   * const off = graph.events.on('epochEnd', (epoch) => console.log(epoch.metrics))
   * await graph.run([train({ epochs: 1 })])
   * off()
   */
  on<Kind extends keyof GraphEvents>(
    kind: Kind,
    listener: Listener<GraphEvents[Kind]>,
    ...options: Kind extends Sampled ? [options?: ListenOptions] : []
  ): () => void
  /** Calls `fn` once every value reported before has reached its listeners; values wait on the device and are read many at once. */
  inOrder(fn: () => void): void
  /** Calls `listener` with the time that each node takes in each event, until the function that is returned is called. Without one, no time is taken. */
  time(listener: TimeListener): () => void
}

/** When something happened, for `every`. */
export interface Moment {
  /** The number of the iteration. */
  readonly tick: number
  /** How many iterations, this one included, it stands for. @default 1 */
  readonly span?: number
}

interface Entry<Payload> {
  readonly listener: Listener<Payload>
  readonly every: number
}

type Entries = { readonly [Kind in keyof GraphEvents]: Set<Entry<GraphEvents[Kind]>> }

/** The listeners of one graph. */
export class EventHub implements EventSource {
  readonly #entries: Entries = {
    runStart: new Set(),
    runEnd: new Set(),
    taskStart: new Set(),
    taskEnd: new Set(),
    epochStart: new Set(),
    epochEnd: new Set(),
    iterationStart: new Set(),
    iterationEnd: new Set(),
    graph: new Set(),
    metric: new Set(),
    scalar: new Set(),
    histogram: new Set(),
    image: new Set(),
    text: new Set(),
    optimizers: new Set(),
    update: new Set(),
    gradNorm: new Set(),
    earlyStop: new Set(),
    paused: new Set(),
    resumed: new Set(),
    stopping: new Set(),
    checkpointSaved: new Set(),
    checkpointLoaded: new Set(),
  }
  #waiting: Promise<void>[] = []
  readonly #clock = new Clock()
  /** Values that wait on the device for their listeners. */
  readonly late = new LateValues((error) => this.#await(failed(error)))
  /** The number of the iteration at work among those of its mode; 0 between two, where values are for all listeners. */
  tick = 0

  on<Kind extends keyof GraphEvents>(kind: Kind, listener: Listener<GraphEvents[Kind]>, options: ListenOptions = {}): () => void {
    const entries = this.#entries[kind]
    if (entries === undefined) throw unknownName('events.on', 'event', kind, Object.keys(this.#entries))
    const entry = { listener, every: everyOf(kind, options) }
    entries.add(entry)
    return () => void entries.delete(entry)
  }

  inOrder(fn: () => void): void {
    this.late.add(null, fn)
  }

  /** Takes the times of nodes; null while nobody listens. */
  get clock(): Clock | null {
    return this.#clock.listeners.size > 0 ? this.#clock : null
  }

  time(listener: TimeListener): () => void {
    this.#clock.listeners.add(listener)
    return () => void this.#clock.listeners.delete(listener)
  }

  /** Whether anybody wants an event of this kind; ask before computing what it carries. */
  listens(kind: keyof GraphEvents, moment: Moment = this): boolean {
    for (const { every } of this.#entries[kind]) if (isDue(every, moment)) return true
    return false
  }

  /** Tells the listeners; `payload` is only called when there are some. */
  emit<Kind extends keyof GraphEvents>(kind: Kind, payload: () => GraphEvents[Kind], moment: Moment = this): void {
    const entries = this.#entries[kind]
    if (entries.size === 0 || !this.listens(kind, moment)) return
    const value = payload()
    for (const { listener, every } of entries) {
      if (!isDue(every, moment)) continue
      const result = listener(value)
      if (result instanceof Promise) this.#await(result)
    }
  }

  /** What async listeners still do; undefined when there is nothing to wait for. */
  settle(): Promise<unknown> | undefined {
    if (this.#waiting.length === 0) return undefined
    const waiting = this.#waiting
    this.#waiting = []
    return Promise.all(waiting)
  }

  /** Reads what waits on the device, tells the listeners, and waits for these; undefined when there is nothing to do. */
  deliver(): Promise<unknown> | undefined {
    return this.late.isEmpty ? this.settle() : this.late.flush().then(() => this.settle())
  }

  #await(result: Promise<void>): void {
    result.catch(() => {}) // Thrown by settle, once the loop gets there.
    this.#waiting.push(result)
  }
}

const failed = async (error: unknown): Promise<void> => {
  throw error
}

const isDue = (every: number, { tick, span = 1 }: Moment): boolean => every === 1 || tick % every < span

function everyOf(kind: keyof GraphEvents, options: ListenOptions): number {
  checkOptions('events.on', options, ['every'])
  const { every = 1 } = options
  if (!Number.isInteger(every) || every < 1) throw new FirnError('argument', `events.on: every ${every}, expected a whole number from 1`)
  if (every > 1 && !sampled.some((name) => name === kind))
    throw new FirnError('argument', `events.on: '${kind}' does not come in iterations and takes no every; ${sampled.join(', ')} do`)
  return every
}
