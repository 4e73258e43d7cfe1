// When tensors go: scopes free what was made in them; what was made outside goes with its JavaScript object.
import { native } from '../backend/index.ts'
import type { DType } from './dtype.ts'
import { currentLane, inLane, type Lane } from './lane.ts'
import type { Tensor } from './tensor.ts'

// The net under code that opens no scope. Collectors run late, and not at all within a synchronous loop, so it is only that.
const registry = new FinalizationRegistry<number>((handle) => native.freeOne(handle))

// The net is dear, and most tensors are freed by hand soon: the youngest few wait here first.
const youngest: (Tensor<DType> | undefined)[] = Array.from({ length: 8 })
let next = 0

/** Whether no scope is open where a new handle was made, so that its tensor needs the net. */
export function isUnscoped(handle: number): boolean {
  return currentLane(handle).open === 0
}

/** Puts a tensor that no scope frees over the net; gives its place, for `caught`. */
export function catchLater(tensor: Tensor<DType>): number {
  const place = next
  const older = youngest[place]
  if (older !== undefined) registry.register(older, older.handle, older)
  youngest[place] = tensor
  next = (next + 1) % youngest.length
  return place
}

/** Takes a tensor freed by hand off the net; a net for each of millions would itself be a leak. */
export function caught(tensor: Tensor<DType>, place: number): void {
  if (youngest[place] === tensor) youngest[place] = undefined
  else registry.unregister(tensor)
}

/**
 * A scope in force until it is disposed of: it frees every tensor made in it, but those kept, and those held as a parameter, a buffer, a
 * gradient or the state of an optimizer. Scopes are a stack, so they end in the reverse order of their start. One that spans an `await`
 * also takes what other code makes meanwhile; each async `tidy` has a stack of its own.
 * @example
 * using scope = tensorScope()
 * const kept = scope.keep(ones([2]).add(1))
 * kept // [2, 2]
 */
export class TensorScope {
  readonly #lane: Lane
  readonly #id: number
  #open = true

  /** Opens a scope, or takes over one that the core has opened. */
  constructor(opened?: number) {
    this.#lane = currentLane()
    this.#id = opened ?? native.scopeBegin()
    this.#lane.open++
  }

  /** Exempts a tensor from every scope; returns it. */
  keep<T extends Tensor<DType>>(tensor: T): T {
    return tensor.keep()
  }

  [Symbol.dispose](): void {
    this.end()
  }

  /** Ends the scope; `survivors` pass to the scope around it. Ending it again does nothing. */
  end(survivors: readonly Tensor<DType>[] = []): void {
    if (!this.#open) return
    this.#open = false
    this.#lane.open--
    if (survivors.length === 0) native.scopeEnd(this.#id)
    else native.scopeEndExcept(this.#id, inherited(survivors, this.#lane))
  }
}

/** The handles of what outlives a scope; over the net where no other scope takes them. */
function inherited(survivors: readonly Tensor<DType>[], heir: Lane): Uint32Array {
  if (heir.open === 0) for (const tensor of survivors) registry.register(tensor, tensor.handle, tensor)
  return Uint32Array.from(survivors, (tensor) => tensor.handle)
}

/** Opens a scope: `using scope = tensorScope()`. @example const scope = tensorScope(); const x = ones([2]); scope.end(); x.isDisposed // true */
export function tensorScope(): TensorScope {
  return new TensorScope()
}

/**
 * Runs `fn` in a scope, sync or async; the tensors in its result (in arrays, objects and maps too) survive. An async one owns what `fn`
 * and the functions it calls make, however it overlaps with others.
 * @example
 * // The sum is freed, the product lives.
 * tidy(() => ones([2]).add(1).mul(3)) // [6, 6]
 */
export function tidy<T>(fn: () => Promise<T>): Promise<T>
export function tidy<T>(fn: () => T): T
export function tidy<T>(fn: () => T | Promise<T>): T | Promise<T> {
  return inLane(fn, (result, heir) => inherited(tensorsIn(result), heir))
}

function isTensor(value: object): value is Tensor<DType> {
  return 'handle' in value && 'keep' in value
}

function tensorsIn(value: unknown, found: Tensor<DType>[] = [], seen = new Set<object>()): Tensor<DType>[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return found
  seen.add(value)
  if (isTensor(value)) found.push(value)
  else if (value instanceof Map) for (const [, entry] of value) tensorsIn(entry, found, seen)
  else if (!ArrayBuffer.isView(value)) for (const entry of Object.values(value)) tensorsIn(entry, found, seen)
  return found
}
