// Every op of the generated manifest against PyTorch's values and gradients, against difference quotients, and on views.
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { grad, gradCheck } from '../ts/autograd/index.ts'
import { F } from '../ts/nn/index.ts'
import * as free from '../ts/tensor/index.ts'
import { Tensor, tensor, tidy, type DType } from '../ts/tensor/index.ts'
import { closeTo, fixture, fromStored, isStored, weights, type OpCase, type OpRow, type StoredTensor } from './helpers.ts'

const namespaces = { functional: F, linalg: free.linalg, fft: free.fft }

type Args = ReadonlyMap<string, unknown>
type AnyTensor = Tensor<DType>

const manifest: readonly OpRow[] = JSON.parse(readFileSync(new URL('ops.gen.json', import.meta.url), 'utf8'))
const { ops, methods } = fixture('ops')
const rows = [...manifest, ...methods]

/** The arguments of a case, tensors made by `make`. */
function argsOf({ args }: OpCase, make: (stored: StoredTensor) => AnyTensor): Args {
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

/** Calls an op as a user would: self, positional arguments, then one options object. */
function call(row: OpRow, face: OpRow['faces'][number], args: Args): readonly AnyTensor[] {
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

function tensorsOf(value: unknown): readonly AnyTensor[] {
  if (value instanceof Tensor) return [value]
  const parts: readonly unknown[] = Array.isArray(value) ? value : typeof value === 'object' && value !== null ? Object.values(value) : []
  return parts.filter((item) => item instanceof Tensor)
}

/** A method needs a tensor to be called on. */
function facesFor(row: OpRow, { args }: OpCase): OpRow['faces'] {
  const self = row.args[0]?.name ?? ''
  return row.faces.filter((face) => face !== 'method' || isStored(args[self]))
}

/** The scalar that the fixtures differentiate. */
function scalar(outputs: readonly AnyTensor[], order: 1 | 2 = 1): AnyTensor {
  const parts = outputs
    .filter((out) => out.dtype.includes('float'))
    .map((out, k) => out.mul(tensor(weights(out.shape, k, order), { shape: out.shape, dtype: out.dtype })).sum())
  return parts.reduce((total, part) => total.add(part))
}

/** The tensors of the arguments that a fixture has gradients of, in its order. */
function leavesOf(args: Args, grads: NonNullable<OpCase['grad']>): AnyTensor[] {
  return Object.keys(grads).flatMap((name) => tensorsOf(args.get(name)))
}

function expectOutputs(t: ExecutionContext, outputs: readonly AnyTensor[], { out, rtol = 1e-6 }: OpCase, what: string): void {
  const expected = isStored(out) ? [out] : out
  t.is(outputs.length, expected.length, `${what}: number of outputs`)
  for (const [k, want] of expected.entries()) {
    const got = outputs[k]
    if (got === undefined) continue
    t.deepEqual([...got.shape], [...want.shape], `${what}: shape`)
    t.is(got.dtype, want.dtype, `${what}: dtype`)
    closeTo(t, got, want.data, { rtol: want.dtype === 'float16' || want.dtype === 'bfloat16' ? 1e-2 : rtol }, what)
  }
}

/** The same numbers as a view: a transposed copy transposed back, or the middle of a longer vector. */
function asView(stored: StoredTensor): AnyTensor {
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

function each(cases: readonly OpCase[], run: (entry: OpCase, what: string) => void): void {
  for (const [index, entry] of cases.entries()) {
    tidy(() => {
      run(entry, `case ${index} ${JSON.stringify(entry.args).slice(0, 300)}`)
    })
  }
}

for (const row of rows) {
  const cases = ops[row.name]
  if (row.check.kind === 'none') continue
  if (cases === undefined || cases.length === 0) {
    test(`${row.js}: has a fixture`, (t) => t.fail(`no cases for ${row.name}: npm run fixtures`))
    continue
  }

  test(`${row.js}: value, shape and dtype equal PyTorch's`, (t) => {
    each(cases, (entry, what) => {
      for (const face of facesFor(row, entry)) expectOutputs(t, call(row, face, argsOf(entry, fromStored)), entry, `${face} ${what}`)
    })
  })

  test(`${row.js}: takes views`, (t) => {
    each(cases, (entry, what) => {
      const face = facesFor(row, entry)[0]
      if (face !== undefined) expectOutputs(t, call(row, face, argsOf(entry, asView)), entry, what)
      else t.pass()
    })
  })

  const smooth = cases.filter(({ grad: first }) => first !== undefined)
  if (smooth.length === 0) continue

  test(`${row.js}: gradient equals PyTorch's`, (t) => {
    each(smooth, (entry, what) => {
      const args = argsOf(entry, (stored) => withGrad(fromStored(stored)))
      const face = facesFor(row, entry)[0]
      if (face === undefined || entry.grad === undefined) return
      const leaves = leavesOf(args, entry.grad)
      const found = grad(scalar(call(row, face, args)), leaves)
      expectGrads(t, found, entry.grad, entry.rtol, what)
    })
  })

  test(`${row.js}: gradient equals difference quotients in float64`, (t) => {
    each(smooth, (entry) => {
      const face = facesFor(row, entry)[0]
      t.pass()
      if (face === undefined || entry.grad === undefined || entry.edge) return
      const args = argsOf(entry, (stored) => fromStored(stored, stored.dtype.includes('float') ? 'float64' : stored.dtype))
      const names = Object.keys(entry.grad)
      const leaves = leavesOf(args, entry.grad).filter(isDouble)
      const fn = (...inputs: Tensor<'float64'>[]) => {
        const value = scalar(call(row, face, replace(args, names, inputs)))
        if (!isDouble(value)) throw new TypeError(`${row.js} of float64 gave ${value.dtype}`)
        return value
      }
      gradCheck(fn, leaves, { eps: 1e-6, atol: 1e-6, rtol: 1e-4 })
    })
  })

  test(`${row.js}: second gradient equals PyTorch's`, (t) => {
    each(smooth, (entry, what) => {
      const face = facesFor(row, entry)[0]
      t.pass()
      if (face === undefined || entry.grad === undefined || entry.grad2 === undefined) return
      const args = argsOf(entry, (stored) => withGrad(fromStored(stored)))
      const leaves = leavesOf(args, entry.grad)
      const first = grad(scalar(call(row, face, args)), leaves, { createGraph: true })
      // The zeros keep every leaf in the graph where the first gradient is constant.
      const total = leaves.reduce((sum, leaf) => sum.add(leaf.mul(0).sum()), scalar(first, 2))
      expectGrads(t, grad(total, leaves), entry.grad2, Math.max(entry.rtol ?? 0, 1e-5), what)
    })
  })
}

function isDouble(x: AnyTensor): x is Tensor<'float64'> {
  return x.dtype === 'float64'
}

function withGrad(x: AnyTensor): AnyTensor {
  if (x.dtype.includes('float')) x.requiresGrad = true
  return x
}

/** `args` with the tensors under `names` replaced, in order. */
function replace(args: Args, names: readonly string[], inputs: readonly AnyTensor[]): Args {
  const next = inputs[Symbol.iterator]()
  const take = (): unknown => next.next().value
  return new Map([...args].map(([name, value]) => [name, !names.includes(name) ? value : Array.isArray(value) ? value.map(take) : take()]))
}

function expectGrads(
  t: ExecutionContext,
  found: readonly AnyTensor[],
  expected: NonNullable<OpCase['grad']>,
  rtol = 1e-5,
  what = '',
): void {
  const want = Object.entries(expected).flatMap(([name, group]) => group.map((data) => ({ name, data })))
  t.is(found.length, want.length, what)
  for (const [k, { name, data }] of want.entries()) {
    const got = found[k]
    if (got !== undefined) closeTo(t, got, data, { rtol: Math.max(rtol, 1e-5), atol: 1e-5 }, `gradient of ${name}, ${what}`)
  }
}
