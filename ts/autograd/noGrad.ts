// Guards that switch the tape off or on.
import { native } from '../backend/index.ts'
import { Nesting, within } from './region.ts'

const nesting = new Nesting('noGrad: guards end in the reverse order of their start, and a later one is still in force; end that one first')

/** A setting of the tape, in force on this thread until it is disposed of. @example const guard = noGrad(); guard[Symbol.dispose](); isGradEnabled() // true */
export class GradModeGuard {
  readonly #end: () => void

  constructor(enabled: boolean) {
    const before = native.setGradEnabled(enabled)
    this.#end = nesting.begin(() => native.setGradEnabled(before))
  }

  /**
   * Puts back what was before; doing it again does nothing.
   * @throws FirnError 'autograd' when a later guard is still in force
   */
  [Symbol.dispose](): void {
    this.#end()
  }
}

function guarded<T>(enabled: boolean, fn?: () => T): T | GradModeGuard {
  const guard = new GradModeGuard(enabled)
  return fn === undefined
    ? guard
    : within(
        guard,
        fn,
        'noGrad(fn) takes a synchronous function, since other code runs during an await; use `using guard = noGrad()` around the part that needs it',
      )
}

/**
 * Keeps ops off the tape: as a guard (`using guard = noGrad()`) until the end of the block, or while `fn` runs. The mode belongs to the
 * thread, so a guard that spans an `await` holds for whatever runs meanwhile; end it before awaiting.
 * @example
 * noGrad(() => ones([2], { requiresGrad: true }).mul(2)).requiresGrad // false
 */
export function noGrad(): GradModeGuard
export function noGrad<T>(fn: () => T): T
export function noGrad<T>(fn?: () => T): T | GradModeGuard {
  return guarded(false, fn)
}

/** Puts ops on the tape again inside `noGrad`; a guard, or while `fn` runs. @example noGrad(() => enableGrad(() => isGradEnabled())) // true */
export function enableGrad(): GradModeGuard
export function enableGrad<T>(fn: () => T): T
export function enableGrad<T>(fn?: () => T): T | GradModeGuard {
  return guarded(true, fn)
}

/** Whether ops go on the tape. @example noGrad(() => isGradEnabled()) // false */
export function isGradEnabled(): boolean {
  return native.isGradEnabled()
}
