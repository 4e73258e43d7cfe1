// Hooks: functions that run when a gradient is complete.
import { native } from '../backend/index.ts'
import { callback } from './callback.ts'
import type { DType } from './dtype.ts'
import type { Tensor } from './tensor.ts'

interface Handled {
  readonly handle: number
}

/**
 * A registered hook, until it is removed.
 * @example
 * const x = tensor([1], { requiresGrad: true })
 * const hook = x.registerHook((g) => g.mul(10))
 * hook.remove()
 * x.sum().backward()
 * x.grad // [1]
 */
export class HookHandle {
  #off: (() => void) | undefined

  constructor(off: () => void) {
    this.#off = off
  }

  /** Takes the hook off; doing it again does nothing. */
  remove(): void {
    this.#off?.()
    this.#off = undefined
  }

  [Symbol.dispose](): void {
    this.remove()
  }
}

/** A hook that sees the gradient of `x`, and may return another. */
export function gradientHook<D extends DType>(
  x: Handled,
  hook: (gradient: Tensor<D>) => Tensor<D> | null | undefined | void,
  wrap: (handle: number) => Tensor<D>,
): HookHandle {
  let call: typeof hook | undefined = hook
  const run = callback('registerHook', ([gradient = 0]) => [call?.(wrap(gradient)) ?? null])
  const number = native.registerHook(x.handle, run)
  return handleFor(x, number, () => (call = undefined))
}

/** A hook that runs when the leaf `x` has its gradient. */
export function leafHook<X extends Handled>(x: X, hook: (x: X) => void): HookHandle {
  let call: typeof hook | undefined = hook
  const leaf = new WeakRef(x)
  const run = callback('registerPostAccumulateGradHook', () => {
    const alive = leaf.deref()
    if (alive !== undefined) call?.(alive)
    return []
  })
  const number = native.registerPostHook(x.handle, run)
  return handleFor(x, number, () => (call = undefined))
}

// The handle knows its tensor weakly, and a hook whose tensor was freed is off by itself.
function handleFor(x: Handled, number: number, off: () => void): HookHandle {
  const { handle } = x
  return new HookHandle(() => {
    off()
    if (native.isLive(handle)) native.removeHook(handle, number)
  })
}
