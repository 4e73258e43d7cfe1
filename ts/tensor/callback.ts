// Functions of users that the core calls during a walk: their scope, their result, and what they throw.
import { native } from '../backend/index.ts'
import { FirnError } from '../errors.ts'
import type { DType } from './dtype.ts'
import { TensorScope } from './lifetime.ts'
import type { Tensor } from './tensor.ts'

/** What the core calls: with the scope of the call and the handles made in it; false when it threw. */
export type Callback = (scope: number, handles: readonly number[]) => boolean

let thrown: { readonly error: unknown } | undefined

/** Wraps `fn` for the core. What `fn` makes is freed at its end, but what it returns. */
export function callback(what: string, fn: (handles: readonly number[]) => readonly (Tensor<DType> | null | undefined)[]): Callback {
  return (id, handles) => {
    const scope = new TensorScope(id)
    try {
      const results = fn(handles)
      native.answer(Uint32Array.from(results, (result) => handleOf(what, result)))
      scope.end()
      return true
    } catch (error) {
      thrown = { error }
      endQuietly(scope)
      return false
    }
  }
}

function handleOf(what: string, result: unknown): number {
  if (result === null || result === undefined) return 0
  if (typeof result === 'object' && 'handle' in result && typeof result.handle === 'number') return result.handle
  const promise = result instanceof Promise ? '; it must be synchronous' : ''
  throw new FirnError('argument', `${what}: expected a tensor or nothing to be returned, and got ${typeof result}${promise}`)
}

// The scope may be held up by one that the function left open when it threw; what it threw matters more.
function endQuietly(scope: TensorScope): void {
  try {
    scope.end()
  } catch {}
}

/** What a walk threw, or what a callback of it did. */
export function original(error: unknown): unknown {
  const held = thrown
  thrown = undefined
  return held === undefined ? error : held.error
}

/** Runs what calls back; an error thrown in a callback arrives as it is. */
export function walking<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw original(error)
  }
}
