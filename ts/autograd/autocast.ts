// autocast: a region in which ops compute in the precision that suits them.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { dtypeCode } from '../tensor/index.ts'
import { Nesting, within } from './region.ts'

/** Options of `autocast`. */
export interface AutocastOptions {
  /** The dtype of ops that lose little by it: products, convolutions, attention. @default 'bfloat16' */
  readonly dtype?: 'bfloat16' | 'float16'
  /** False is a region without autocast inside another. @default true */
  readonly enabled?: boolean
  /** Whether a parameter is cast once for all ops of the outermost region. @default true */
  readonly cache?: boolean
}

const nesting = new Nesting('autocast: regions end in the reverse order of their start, and a later one is still open; end that one first')

/** A region of autocast, in force on this thread until it is disposed of. @example const region = autocast(); region[Symbol.dispose](); isAutocastEnabled() // false */
export class AutocastGuard {
  readonly #end: () => void

  constructor(options: AutocastOptions = {}) {
    checkOptions('autocast', options, ['dtype', 'enabled', 'cache'])
    const { dtype = 'bfloat16', enabled = true, cache = true } = options
    if (dtype !== 'bfloat16' && dtype !== 'float16') {
      throw new FirnError('dtype', `autocast: dtype must be 'bfloat16' or 'float16', got '${String(dtype)}'`)
    }
    const before = native.autocastEnter(enabled, dtypeCode(dtype), cache)
    this.#end = nesting.begin(() => native.autocastLeave(before))
  }

  /**
   * Puts back what was before, and at the end of the outermost region frees the cast parameters; doing it again does nothing.
   * @throws FirnError 'autograd' when a later region is still open
   */
  [Symbol.dispose](): void {
    this.#end()
  }
}

/**
 * Lets ops compute in the precision that suits them, as PyTorch's `torch.autocast`: products and convolutions in `dtype`, losses, norms and
 * exponentials in float32, some in the widest dtype of their arguments; docs/autocast.md lists them. A guard (`using region = autocast()`) until the
 * end of the block, or while `fn` runs. Wrap forward and loss; the backward pass follows in the dtypes of the forward, and gradients
 * have those of their parameters. The type of a result says the dtype that it has outside of a region.
 *
 * The region belongs to the thread, so one that spans an `await` holds for whatever runs meanwhile; end it before awaiting.
 * @example
 * const w = ones([2, 2], { requiresGrad: true })
 * const loss = autocast(() => ones([1, 2]).matmul(w).sum())
 * loss.dtype // 'float32'
 * loss.backward()
 * w.grad?.dtype // 'float32'
 * autocast({ dtype: 'float16' }, () => ones([1, 2]).matmul(w)).dtype // 'float16'
 */
export function autocast(options?: AutocastOptions): AutocastGuard
export function autocast<T>(fn: () => T): T
export function autocast<T>(options: AutocastOptions, fn: () => T): T
export function autocast<T>(first: AutocastOptions | (() => T) = {}, second?: () => T): T | AutocastGuard {
  const [options, fn] = typeof first === 'function' ? [{}, first] : [first, second]
  const guard = new AutocastGuard(options)
  return fn === undefined
    ? guard
    : within(
        guard,
        fn,
        'autocast(fn) takes a synchronous function, since other code runs during an await; use `using region = autocast()` around the part that needs it',
      )
}

/** Whether ops are cast. @example autocast(() => autocast({ enabled: false }, () => isAutocastEnabled())) // false */
export function isAutocastEnabled(): boolean {
  return native.isAutocastEnabled()
}
