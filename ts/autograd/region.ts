// Settings of the thread that hold for a while: regions of one kind end in the reverse order of their start.
import { FirnError } from '../errors.ts'

/** How deep the regions of one kind are nested; `misuse` is said when one ends before a later one. */
export class Nesting {
  readonly #misuse: string
  #depth = 0

  constructor(misuse: string) {
    this.#misuse = misuse
  }

  /** Begins a region; what is returned ends it by `close`, and does nothing when called again. */
  begin(close: () => void): () => void {
    const depth = ++this.#depth
    let open = true
    return () => {
      if (!open) return
      if (depth !== this.#depth) throw new FirnError('autograd', this.#misuse)
      open = false
      this.#depth--
      close()
    }
  }
}

/** Runs a synchronous `fn` in a region, which ends with it; `misuse` is said when `fn` is not synchronous. */
export function within<T>(region: Disposable, fn: () => T, misuse: string): T {
  try {
    const result = fn()
    if (result instanceof Promise) throw new FirnError('argument', misuse)
    return result
  } finally {
    region[Symbol.dispose]()
  }
}
