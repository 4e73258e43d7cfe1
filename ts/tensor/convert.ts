// How arguments of users become arguments of the binding.
import { FirnError, unknownName } from '../errors.ts'
import { choices } from './choices.gen.ts'

/** Anything with a native handle. */
interface Handled {
  readonly handle: number
}

/** A height and a width, or one number for both. */
export type Pair = number | readonly [number, number]

/** A depth, a height and a width, or one number for all. */
export type Triple = number | readonly [number, number, number]

/** The code of one of the words that an option takes. */
export function choiceCode(name: string, word: string, words: readonly string[]): number {
  const code = words.indexOf(word)
  if (code < 0) throw unknownName(name, name, String(word), words)
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

/** What was given as a list; from JavaScript it may be anything. */
function listed(code: 'argument' | 'shape', expected: string, given: readonly number[]): readonly number[] {
  if (typeof given === 'object' && given !== null && Symbol.iterator in given) return given
  throw new FirnError(code, `expected ${expected} and got ${describe(given)}`)
}

/** One whole number or several. */
export function integers(dims: number | readonly number[]): Int32Array {
  const list = typeof dims === 'number' ? [dims] : listed('argument', 'a whole number or a list of them', dims)
  for (const dim of list) {
    if (!isWhole(dim)) throw new FirnError('argument', `expected whole numbers and got ${describe(dim)} in [${list.join(', ')}]`)
  }
  return Int32Array.from(list)
}

/** One number or several. */
export function reals(numbers: number | readonly number[]): Float64Array {
  const list = typeof numbers === 'number' ? [numbers] : listed('argument', 'a number or a list of them', numbers)
  for (const number of list) {
    if (typeof number !== 'number') throw new FirnError('argument', `expected numbers and got ${describe(number)} in [${list.join(', ')}]`)
  }
  return Float64Array.from(list)
}

/** Sizes of a new tensor. */
export function sizes(shape: readonly number[]): Uint32Array {
  for (const size of listed('shape', 'a shape as a list, such as [2, 3],', shape)) {
    if (!isSize(size)) {
      throw new FirnError('shape', `a shape holds whole numbers from 0 to ${LARGEST} and got ${describe(size)} in [${shape.join(', ')}]`)
    }
  }
  return Uint32Array.from(shape)
}

/** A whole number of 0 or more. */
export function count(name: string, value: number): number {
  if (!isSize(value)) throw new FirnError('argument', `${name} must be a whole number from 0 to ${LARGEST} and is ${describe(value)}`)
  return value
}

/** A whole number, as a dimension is. */
export function whole(name: string, value: number): number {
  if (!isWhole(value)) throw new FirnError('argument', `${name} must be a whole number and is ${describe(value)}`)
  return value
}

/** The largest size that crosses the border; a larger one would come out as its remainder. */
const LARGEST = 2 ** 32 - 1

const isSize = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= LARGEST
const isWhole = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 31

/** The height (0) or width (1) of a pair. */
export function side(name: string, pair: Pair, which: 0 | 1): number {
  if (typeof pair !== 'number' && pair.length !== 2) {
    throw new FirnError('argument', `${name} must be a number or a pair [height, width] and is [${String(pair)}]`)
  }
  return count(name, typeof pair === 'number' ? pair : pair[which])
}

/** The depth (0), height (1) or width (2) of a triple. */
export function edge(name: string, triple: Triple, which: 0 | 1 | 2): number {
  if (typeof triple !== 'number' && triple.length !== 3) {
    throw new FirnError('argument', `${name} must be a number or a triple [depth, height, width] and is [${String(triple)}]`)
  }
  return count(name, typeof triple === 'number' ? triple : triple[which])
}

/** Padding of `rank` dimensions, -1 for 'same'. */
export function paddingCodes(name: string, padding: number | readonly number[] | string, rank: number): Int32Array {
  if (typeof padding === 'string') {
    return choiceCode(name, padding, choices.PaddingWord) === 0 ? Int32Array.of(-1) : new Int32Array(rank)
  }
  const sides = typeof padding === 'number' ? Array<number>(rank).fill(padding) : padding
  if (sides.length !== rank) {
    throw new FirnError('argument', `${name} must be a number or hold one for each of ${rank} dimensions and is [${sides.join(', ')}]`)
  }
  return Int32Array.from(sides, (side) => count(name, side))
}

/** How a message names a value: the class of an object. */
export function describe(x: unknown): string {
  return typeof x === 'object' ? (x === null ? 'null' : (x.constructor?.name ?? 'an object')) : String(x)
}
