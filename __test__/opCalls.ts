// An op called as a user would, with the arguments of a fixture: on tensors of its own, on views, on leaves, in another dtype.
import { F } from '../ts/nn/index.ts'
import * as free from '../ts/tensor/index.ts'
import { Tensor, tensor, type DType } from '../ts/tensor/index.ts'
import { fromStored, isStored, weights, type OpCase, type OpRow, type StoredTensor } from './helpers.ts'

export type Args = ReadonlyMap<string, unknown>
export type AnyTensor = Tensor<DType>
type Face = OpRow['faces'][number]

const namespaces = { functional: F, linalg: free.linalg, fft: free.fft }

/** The arguments of a case, tensors made by `make`. */
export function argsOf({ args }: Pick<OpCase, 'args'>, make: (stored: StoredTensor) => AnyTensor): Args {
  const build = (value: unknown): unknown =>
    isStored(value)
      ? make(value)
      : Array.isArray(value)
        ? value.map(build)
        : value === 'Infinity'
          ? Infinity
          : value === '-Infinity'
            ? -Infinity
            : value
  return new Map(Object.entries(args).map(([name, value]) => [name, build(value)]))
}

/** Calls an op: self, positional arguments, then one options object. */
export function call(row: OpRow, face: Face, args: Args): readonly AnyTensor[] {
  const options = row.args.filter(({ name, position }) => position === 'option' && args.has(name))
  const positional: unknown[] = row.args.filter(({ position }) => position !== 'option').map(({ name }) => args.get(name))
  if (options.length > 0) positional.push(Object.fromEntries(options.map(({ name, js }) => [js, args.get(name)])))
  else while (positional.length > 0 && positional.at(-1) === undefined) positional.pop()
  const receiver: unknown = face === 'method' ? positional.shift() : face === 'free' || face === 'native' ? free : namespaces[face]
  const fn: unknown = typeof receiver === 'object' && receiver !== null ? Reflect.get(receiver, row.js) : undefined
  if (typeof fn !== 'function') throw new TypeError(`${row.js} has no ${face} face`)
  const out: unknown = Reflect.apply(fn, receiver, positional)
  return tensorsOf(out)
}

export function tensorsOf(value: unknown): readonly AnyTensor[] {
  if (value instanceof Tensor) return [value]
  const parts: readonly unknown[] = Array.isArray(value) ? value : typeof value === 'object' && value !== null ? Object.values(value) : []
  return parts.filter((item) => item instanceof Tensor)
}

/** A method needs a tensor to be called on. */
export function facesFor(row: OpRow, { args }: Pick<OpCase, 'args'>): OpRow['faces'] {
  const self = row.args[0]?.name ?? ''
  return row.faces.filter((face) => face !== 'method' || isStored(args[self]))
}

/** The scalar that the fixtures differentiate. */
export function scalar(outputs: readonly AnyTensor[], order: 1 | 2 = 1): AnyTensor {
  const parts = outputs
    .filter((out) => out.dtype.includes('float'))
    .map((out, k) => out.mul(tensor(weights(out.shape, k, order), { shape: out.shape, dtype: out.dtype })).sum())
  return parts.reduce((total, part) => total.add(part))
}

/** The tensors of the arguments that a fixture has gradients of, in its order. */
export function leavesOf(args: Args, grads: NonNullable<OpCase['grad']>): AnyTensor[] {
  return Object.keys(grads).flatMap((name) => tensorsOf(args.get(name)))
}

/** The same numbers as a view: a transposed copy transposed back, or the middle of a longer vector. */
export function asView(stored: StoredTensor): AnyTensor {
  const rank = stored.shape.length
  if (rank === 0) return fromStored(stored)
  if (rank === 1)
    return fromStored({ ...stored, shape: [stored.data.length + 2], data: [0, ...stored.data, 0] }).narrow(0, 1, stored.data.length)
  const last = stored.shape[rank - 1] ?? 1
  const plane = stored.data.length / last
  const data = stored.data.map((_, i) => stored.data[(i % plane) * last + Math.floor(i / plane)] ?? 0)
  const order = Array.from({ length: rank }, (_, i) => (i + 1) % rank)
  return fromStored({ ...stored, shape: [last, ...stored.shape.slice(0, -1)], data }).permute(order)
}

export function withGrad(x: AnyTensor): AnyTensor {
  if (x.dtype.includes('float')) x.requiresGrad = true
  return x
}

export function isDouble(x: AnyTensor): x is Tensor<'float64'> {
  return x.dtype === 'float64'
}

/** `args` with the tensors under `names` replaced, in order. */
export function replace(args: Args, names: readonly string[], inputs: readonly AnyTensor[]): Args {
  const next = inputs[Symbol.iterator]()
  const take = (): unknown => next.next().value
  return new Map([...args].map(([name, value]) => [name, !names.includes(name) ? value : Array.isArray(value) ? value.map(take) : take()]))
}
