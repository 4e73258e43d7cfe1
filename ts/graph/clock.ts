// How long each node takes in each event, for those who ask.

/** One call of a node's event. */
export interface NodeTime {
  readonly node: string
  /** `forward`, `backward`, `update`, `prepare`, ...; `wait` is before an iteration, until the node is ready for it. */
  readonly event: string
  /** Whether the task at hand trains. */
  readonly training: boolean
  /** When the call began, on the clock of `performance.now()`, in milliseconds. */
  readonly begin: number
  /** How long it took, in milliseconds; for `forward` with the producers that it was the first to ask. */
  readonly ms: number
  /** The same without those producers. */
  readonly own: number
}

/** Called after each call of an event. */
export type TimeListener = (time: NodeTime) => void

/** Takes times; calls may be nested, as forward is when it asks for a producer. */
export class Clock {
  readonly listeners = new Set<TimeListener>()
  /** Of each call under way, what the calls within it took. */
  readonly #inner: number[] = []

  /** Begins a call; gives what `end` wants. */
  begin(): number {
    this.#inner.push(0)
    return performance.now()
  }

  /** Ends the call that began last. */
  end(begin: number, node: string, event: string, training: boolean): void {
    const ms = performance.now() - begin
    const own = ms - (this.#inner.pop() ?? 0)
    const outer = this.#inner.length - 1
    if (outer >= 0) this.#inner[outer] = (this.#inner[outer] ?? 0) + ms
    this.#tell({ node, event, training, begin, ms, own })
  }

  /** Tells of time that passed beside calls, while something was waited for. */
  waited(begin: number, node: string, training: boolean): void {
    const ms = performance.now() - begin
    this.#tell({ node, event: 'wait', training, begin, ms, own: ms })
  }

  #tell(time: NodeTime): void {
    for (const listener of this.listeners) listener(time)
  }
}
