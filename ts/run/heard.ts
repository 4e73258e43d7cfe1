// A promise that says what becomes of it to somebody else when nobody waits for it.

/** Like the promise it is made of; `unheard` is told of a failure that nobody waits for, which is then no unhandled rejection. */
export function heard<T>(promise: Promise<T>, unheard: (error: unknown) => void): Promise<T> {
  const watched = new Watched<T>((resolve) => resolve(promise))
  promise.catch((error: unknown) => {
    if (!watched.isAwaited) unheard(error)
  })
  // Not its own `then`, which counts.
  Promise.prototype.then.call(watched, undefined, () => {})
  return watched
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
