// How arguments of users become arguments of the binding.
import { FirnError, unknownName } from '../errors.ts'

/** Anything with a native handle. */
interface Handled {
  readonly handle: number
}

/** A height and a width, or one number for both. */
export type Pair = number | readonly [number, number]

/** What becomes of the losses of a batch. */
export type Reduction = 'mean' | 'sum' | 'none'

const reductions = ['mean', 'sum', 'none'] as const

export function reductionCode(reduction: Reduction): number {
  const code = reductions.indexOf(reduction)
  if (code < 0) throw unknownName('reduction', 'reduction', String(reduction), reductions)
  return code
}

/** A number as it is, a tensor as its handle. */
export function operand(x: Handled | number): number {
  if (typeof x === 'number') return x
  if (typeof x !== 'object' || x === null || !('handle' in x))
    throw new FirnError('argument', `expected a tensor or a number and got ${describe(x)}`)
  return x.handle
}

/** `bit` for a number, 0 for a tensor: tells the binding how to read an operand. */
export function isNumber(x: Handled | number, bit: number): number {
  return typeof x === 'number' ? bit : 0
}

export function handlesOf(tensors: readonly Handled[]): Uint32Array {
  return Uint32Array.from(tensors, (tensor) => tensor.handle)
}

/** One whole number or several. */
export function integers(dims: number | readonly number[]): Int32Array {
  const list = typeof dims === 'number' ? [dims] : dims
  for (const dim of list) {
    if (!Number.isInteger(dim)) throw new FirnError('argument', `expected whole numbers and got ${describe(dim)} in [${list.join(', ')}]`)
  }
  return Int32Array.from(list)
}

/** Sizes of a new tensor. */
export function sizes(shape: readonly number[]): Uint32Array {
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw new FirnError('shape', `a shape holds whole numbers of 0 or more and got ${describe(size)} in [${shape.join(', ')}]`)
    }
  }
  return Uint32Array.from(shape)
}

/** A whole number of 0 or more. */
export function count(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0)
    throw new FirnError('argument', `${name} must be a whole number of 0 or more and is ${describe(value)}`)
  return value
}

/** The height (0) or width (1) of a pair. */
export function side(name: string, pair: Pair, which: 0 | 1): number {
  if (typeof pair !== 'number' && pair.length !== 2) {
    throw new FirnError('argument', `${name} must be a number or a pair [height, width] and is [${String(pair)}]`)
  }
  return count(name, typeof pair === 'number' ? pair : pair[which])
}

function describe(x: unknown): string {
  return typeof x === 'object' ? (x === null ? 'null' : (x.constructor?.name ?? 'an object')) : String(x)
}
