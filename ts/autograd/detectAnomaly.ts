// Anomaly mode: errors that name the op, and the line, that made a NaN.
import { native } from '../backend/index.ts'
import { checkOptions } from '../errors.ts'

/** What `detectAnomaly` looks at beside gradients. */
export interface AnomalyOptions {
  /** Search the results of recorded ops too. @default false */
  readonly forward?: boolean
}

/** Anomaly mode, in force on this thread until it is disposed of. @example const guard = detectAnomaly(); guard[Symbol.dispose]() // undefined */
export class AnomalyGuard {
  readonly #before: number
  #open = true

  constructor(forward: boolean) {
    this.#before = native.setAnomaly(forward ? 3 : 1, site)
  }

  /** Puts back what was before; doing it again does nothing. */
  [Symbol.dispose](): void {
    if (this.#open) native.setAnomaly(this.#before, site)
    this.#open = false
  }
}

/** The folder of firn's own code, compiled or not. */
const own = new URL('..', import.meta.url).href

/** The lines of the stack that are not firn's. */
function site(): string {
  const lines = (new Error('here').stack ?? '').split('\n').slice(1)
  return lines
    .filter((line) => !line.includes(own) && !line.includes('node:internal'))
    .slice(0, 4)
    .join('\n')
}

/**
 * Finds the op that makes a NaN: inside, ops remember where they were called, and a backward pass fails at the first rule that gives one,
 * naming op, shapes and line. It is slow; use it to look for a mistake. A guard (`using guard = detectAnomaly()`), or while `fn` runs.
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
  if (typeof first !== 'function') return guard
  try {
    return first()
  } finally {
    guard[Symbol.dispose]()
  }
}
