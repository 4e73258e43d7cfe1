// A promise that says what becomes of it to somebody else when nobody waits for it.

/** A promise to give away, and what comes of it. */
export interface Heard<T> {
  /** Like the promise it is made of, but that its failure is no unhandled rejection. */
  readonly promise: Promise<T>
  /** Resolved when it has ended, and `unheard` was told if it failed and nobody waits for it. */
  readonly over: Promise<void>
}

/** Has `unheard` told of a failure that nobody waits for. */
export function heard<T>(promise: Promise<T>, unheard: (error: unknown) => void): Heard<T> {
  const watched = new Watched<T>((resolve) => resolve(promise))
  // Not its own `then`, which counts.
  const ended = Promise.prototype.then.call(
    watched,
    () => {},
    async (error) => {
      // An `await` gets here a moment after the promise was given away.
      await undefined
      if (!watched.isAwaited) unheard(error)
    },
  )
  return { promise: watched, over: ended.then(() => {}) }
}

class Watched<T> extends Promise<T> {
  /** What `then` gives is a promise as any other. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  isAwaited = false

  // `await`, `catch`, `finally` and `Promise.all` all come here.
  // oxlint-disable-next-line unicorn/no-thenable -- a promise is one already, and this is where it can be seen who waits for it
  override then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isAwaited = true
    return super.then(fulfilled, rejected)
  }
}
