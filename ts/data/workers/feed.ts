// Batches made ahead by workers, handed out in order.
import { type Course, type Place, samePlace } from '../course.ts'
import { BatchWorker, type Pending } from './batchWorker.ts'
import type { Order, Setup } from './protocol.ts'

/** What a feed needs to know of its loader. */
export interface FeedOptions {
  readonly setup: Setup
  /** Workers. */
  readonly count: number
  /** The way that batches are taken on, for guessing those that come next. */
  readonly course: Course
  readonly order: (place: Place) => Omit<Order, 'id'>
}

interface Ordered {
  readonly place: Place
  readonly worker: BatchWorker
  readonly pending: Pending
}

/** Batches in the order of a course, each ordered from the workers in turn, so that who made it depends on nothing but its place. */
export class Feed {
  readonly #options: FeedOptions
  #workers: readonly BatchWorker[] = []
  #queue: Ordered[] = []
  #turn = 0

  constructor(options: FeedOptions) {
    this.#options = options
  }

  /** Orders the batch at a place and those after it. @returns what has to be waited for before `take`; undefined when the batch is here */
  ready(place: Place): Promise<void> | undefined {
    if (this.#workers.length === 0) {
      const { count, setup } = this.#options
      this.#workers = Array.from({ length: count }, (_, i) => new BatchWorker(`worker ${i}`, setup))
    }
    const head = this.#queue[0]
    if (head === undefined || !samePlace(head.place, place)) this.#queue = []
    this.#orderAhead(place)
    const first = this.#queue[0]
    if (first === undefined || first.pending.reply !== undefined) return undefined
    first.worker.poll()
    return first.pending.reply === undefined ? first.worker.wait(first.pending) : undefined
  }

  /** The batch at a place that is ready. Fails as its worker failed; workers are then started anew for the next. */
  take(place: Place): { readonly batch: unknown } | undefined {
    const first = this.#queue[0]
    if (first === undefined || !samePlace(first.place, place) || first.pending.reply === undefined) return undefined
    this.#queue.shift()
    const { reply } = first.pending
    try {
      return { batch: first.worker.open(reply) }
    } catch (error) {
      if ('id' in reply && reply.id === null) void this.close()
      throw error
    }
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    const ending = this.#workers
    this.#workers = []
    this.#queue = []
    this.#turn = 0
    await Promise.all(ending.map((worker) => worker.close()))
  }

  #orderAhead(from: Place): void {
    const { setup, count, course } = this.#options
    while (this.#queue.length < setup.slots * count) {
      const last = this.#queue.at(-1)
      const place = last === undefined ? from : course.after(last.place)
      const order = this.#orderFor(place)
      const worker = this.#workers[this.#turn % count]
      if (order === undefined || worker === undefined) return
      this.#turn += 1
      this.#queue.push({ place, worker, pending: worker.order(order) })
    }
  }

  // What is wrong with a batch is said when it is its turn.
  #orderFor(place: Place): Omit<Order, 'id'> | undefined {
    try {
      return this.#options.order(place)
    } catch (error) {
      if (this.#queue.length === 0) throw error
      return undefined
    }
  }
}
