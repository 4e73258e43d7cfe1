// Dtypes against PyTorch: promotion, results of binary ops, casts, integer arithmetic.
import test from 'ava'
import { ones, type DType, Tensor } from '../../ts/tensor/index.ts'
import { fixture, fromStored, type Stored } from '../helpers.ts'

const { promotion, binary, casts, integers } = fixture('dtypes')

/** The elements as numbers, exactly. */
function elements(x: Tensor<DType>): number[] {
  return Array.from(x.to('float64').dataSync())
}

/** NaN equals NaN, and 0 differs from -0. */
const exactly = (data: readonly Stored[]) => data.map(Number)

test('the dtype of a maximum is that of torch.promote_types, for every pair', (t) => {
  t.is(promotion.length, 100)
  for (const [a, b, expected] of promotion) {
    t.is(ones([1], { dtype: a }).maximum(ones([1], { dtype: b })).dtype, expected, `${a} with ${b}`)
    t.is(ones([1], { dtype: a }).maximum(ones([], { dtype: b })).dtype, expected, `${a} with ${b} of no dimension, which counts here`)
  }
})

/** Where firn differs by design; docs/design/promotion.md says why. */
function expectedDType(op: string, a: DType, b: DType, torch: DType | null): DType | null {
  return a === 'bool' && b === 'bool' && ['add', 'sub', 'mul', 'pow'].includes(op) ? 'int64' : torch
}

const methodOf = (x: Tensor<DType>, op: string): unknown => Reflect.get(x, op)

const present = binary.filter(([op]) => typeof methodOf(ones([1]), op) === 'function')

test('there are binary ops to look at', (t) => {
  t.true(present.length >= 14, present.map(([op]) => op).join(' '))
})

for (const [op, results] of present) {
  test(`${op}: the dtype of each pair's result`, (t) => {
    for (const [i, [a, b]] of promotion.entries()) {
      const x = ones([1], { dtype: a })
      const method = methodOf(x, op)
      if (typeof method !== 'function') return t.fail()
      const expected = expectedDType(op, a, b, results[i] ?? null)
      if (expected === null) continue
      const result: unknown = Reflect.apply(method, x, [ones([1], { dtype: b })])
      t.is(result instanceof Tensor ? result.dtype : undefined, expected, `${a} ${op} ${b}`)
    }
  })
}

for (const { x, to } of casts) {
  for (const [target, data] of Object.entries(to)) {
    test(`${x.dtype} to ${target}`, (t) => {
      const dtype = Object.keys(to).find((name): name is DType => name === target)
      // Twenty times as many, so that vector code is tested too.
      const many = { ...x, shape: [20 * x.data.length], data: Array.from({ length: 20 }, () => x.data).flat() }
      const source = fromStored(x.dtype === 'float64' ? many : { ...many, dtype: 'float64' }).to(x.dtype)
      t.deepEqual(elements(source.to(dtype ?? x.dtype)), exactly(Array.from({ length: 20 }, () => data).flat()))
    })
  }
}

const binaryOps = {
  add: (a: Tensor<DType>, b: Tensor<DType>): Tensor<DType> => a.add(b),
  sub: (a: Tensor<DType>, b: Tensor<DType>): Tensor<DType> => a.sub(b),
  mul: (a: Tensor<DType>, b: Tensor<DType>): Tensor<DType> => a.mul(b),
  div: (a: Tensor<DType>, b: Tensor<DType>): Tensor<DType> => a.div(b),
  maximum: (a: Tensor<DType>, b: Tensor<DType>): Tensor<DType> => a.maximum(b),
  lt: (a: Tensor<DType>, b: Tensor<DType>): Tensor<DType> => a.lt(b),
  eq: (a: Tensor<DType>, b: Tensor<DType>): Tensor<DType> => a.eq(b),
}

for (const { x, y, out, neg, abs, cube } of integers) {
  test(`${x.dtype}: arithmetic wraps around as PyTorch's does`, (t) => {
    const a = fromStored(x)
    const b = fromStored(y)
    t.deepEqual(
      elements(a.neg()),
      exactly(neg).map((value) => value + 0),
      'neg',
    )
    t.deepEqual(elements(a.abs()), exactly(abs), 'abs')
    if (cube !== null) t.deepEqual(elements(a.pow(3)), exactly(cube), 'pow')
    for (const op of ['add', 'sub', 'mul', 'div', 'maximum', 'lt', 'eq'] as const) {
      const expected = out[op]
      if (expected !== undefined) t.deepEqual(elements(binaryOps[op](a.unsqueeze(1), b)), exactly(expected), op)
    }
  })
}
