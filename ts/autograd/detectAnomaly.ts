// Anomaly mode: errors that name the op, and the line, that made a NaN.
import { native } from '../backend/index.ts'
import { checkOptions } from '../errors.ts'
import { Nesting, within } from './region.ts'
import { whereabouts } from './whereabouts.ts'

const nesting = new Nesting(
  'detectAnomaly: guards end in the reverse order of their start, and a later one is still in force; end that one first',
)

/** What `detectAnomaly` looks at beside gradients. */
export interface AnomalyOptions {
  /** Search the results of recorded ops too. @default false */
  readonly forward?: boolean
}

/** Anomaly mode, in force on this thread until it is disposed of. @example const guard = detectAnomaly(); guard[Symbol.dispose]() // undefined */
export class AnomalyGuard {
  readonly #end: () => void

  constructor(forward: boolean) {
    const before = native.setAnomaly(forward ? 3 : 1, whereabouts)
    this.#end = nesting.begin(() => native.setAnomaly(before, whereabouts))
  }

  /**
   * Puts back what was before; doing it again does nothing.
   * @throws FirnError 'autograd' when a later guard is still in force
   */
  [Symbol.dispose](): void {
    this.#end()
  }
}

/**
 * Finds the op that makes a NaN: inside, ops remember where they were called, and a backward pass fails at the first rule that gives one,
 * naming op, shapes and line; in a `HyperGraph` also the node whose hook called the op. It is slow; use it to look for a mistake. A guard
 * (`using guard = detectAnomaly()`, which may span `await graph.run(...)`), or while a synchronous `fn` runs.
 *
 * @example
 * const x = tensor([0], { requiresGrad: true })
 * detectAnomaly(() => { try { x.sqrt().mul(0).sum().backward(); return 'fine' } catch { return 'found' } }) // 'found'
 */
export function detectAnomaly(options?: AnomalyOptions): AnomalyGuard
export function detectAnomaly<T>(fn: () => T, options?: AnomalyOptions): T
export function detectAnomaly<T>(first: (() => T) | AnomalyOptions = {}, second: AnomalyOptions = {}): T | AnomalyGuard {
  const options = typeof first === 'function' ? second : first
  checkOptions('detectAnomaly', options, ['forward'])
  const guard = new AnomalyGuard(options.forward ?? false)
  return typeof first !== 'function'
    ? guard
    : within(guard, first, 'detectAnomaly(fn) takes a synchronous function; use `using guard = detectAnomaly()` around what is awaited')
}
