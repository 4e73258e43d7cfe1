import test from 'ava'
import { meter, type Meter } from '../../../ts/graph/index.ts'
import type { Json } from '../../../ts/io/index.ts'
import { memory, tensor } from '../../../ts/tensor/index.ts'

const nan = Number.NaN

/** Meters with what they are given, by update, and what comes of it. */
const scores = (...rows: [number, number][]) => tensor(rows)
const labels = (...values: bigint[]) => tensor(BigInt64Array.from(values))
const table: { name: string; make: () => Meter<never, Json>; inputs: readonly (readonly unknown[])[]; empty: Json; result: Json }[] = [
  { name: 'value', make: meter.value, inputs: [[1], [tensor([5])], [2]], empty: nan, result: 2 },
  { name: 'sum', make: meter.sum, inputs: [[1], [tensor(5)], [2]], empty: 0, result: 8 },
  { name: 'average', make: meter.average, inputs: [[1], [tensor(5)], [3]], empty: nan, result: 3 },
  {
    name: 'average with counts',
    make: meter.average,
    inputs: [
      [1, 3],
      [tensor(5), 1],
    ],
    empty: nan,
    result: 2,
  },
  { name: 'movingAverage', make: () => meter.movingAverage(2), inputs: [[10], [tensor(2)], [4]], empty: nan, result: 3 },
  {
    name: 'accuracy',
    make: meter.accuracy,
    inputs: [
      [scores([0, 1], [1, 0]), labels(1n, 1n)],
      [scores([3, 1], [0, 9]), labels(0n, 1n)],
    ],
    empty: nan,
    result: 0.75,
  },
  {
    name: 'confusion',
    make: () => meter.confusion(2),
    inputs: [
      [scores([0, 1], [1, 0]), labels(1n, 1n)],
      [scores([3, 1], [0, 9]), labels(0n, 1n)],
    ],
    empty: [
      [0, 0],
      [0, 0],
    ],
    result: [
      [1, 0],
      [1, 2],
    ],
  },
  {
    name: 'perplexity',
    make: meter.perplexity,
    inputs: [
      [0, 1],
      [tensor(Math.log(16), { dtype: 'float64' }), 3],
    ],
    empty: nan,
    result: Math.exp((3 * Math.log(16)) / 4),
  },
  {
    name: 'f1',
    make: meter.f1,
    inputs: [
      [tensor([2, 1, -3]), tensor([1, 0, 1])],
      [tensor([-1]), tensor([0])],
    ],
    empty: nan,
    result: 0.5,
  },
  {
    name: 'iou of each class',
    make: () => meter.iou({ classes: 2, average: 'none' }),
    inputs: [
      [scores([0, 1], [1, 0]), labels(1n, 1n)],
      [scores([3, 1], [0, 9]), labels(0n, 1n)],
    ],
    empty: [nan, nan],
    result: [0.5, 2 / 3],
  },
  {
    name: 'meanAbsoluteError',
    make: meter.meanAbsoluteError,
    inputs: [
      [tensor([1, 4]), tensor([0, 2])],
      [tensor([5]), tensor([5], { dtype: 'int64' })],
    ],
    empty: nan,
    result: 1,
  },
  {
    name: 'dict',
    make: () => meter.dict({ mean: meter.average(), last: meter.value() }),
    inputs: [[{ mean: [1], last: [1] }], [{ mean: [tensor(3)], last: [7] }]],
    empty: { mean: nan, last: nan },
    result: { mean: 2, last: 7 },
  },
]

for (const { name, make, inputs, empty, result } of table) {
  const feed = (meter: Meter<readonly unknown[]>, some = inputs): void => {
    for (const values of some) meter.update(...values)
  }

  test(`${name}: evaluates, and starts anew after reset`, async (t) => {
    const meter: Meter<readonly unknown[]> = make()
    t.deepEqual(await meter.evaluate(), empty)
    feed(meter)
    t.deepEqual(await meter.evaluate(), result)
    t.deepEqual(await meter.evaluate(), result, 'evaluating changes nothing')
    meter.reset()
    t.deepEqual(await meter.evaluate(), empty)
  })

  test(`${name}: another meter goes on from its state`, async (t) => {
    const [before, after]: Meter<readonly unknown[]>[] = [make(), make()]
    if (before === undefined || after === undefined) return t.fail()
    feed(before, inputs.slice(0, 1))
    after.loadStateDict(await before.stateDict())
    feed(after, inputs.slice(1))
    t.deepEqual(await after.evaluate(), result)
  })
}

test.serial('a meter waits for the device now and then, and frees what it held', async (t) => {
  const before = memory().handles
  const mean = meter.average()
  const one = tensor(1)
  for (let i = 0; i < 1000; i++) mean.update(one)
  t.true(memory().handles < before + 300)
  t.is(await mean.evaluate(), 1)
  for (let i = 0; i < 10; i++) mean.update(one)
  mean.reset()
  one.dispose()
  t.is(memory().handles, before)
})

test('sums are exact where float32 is not', async (t) => {
  const sum = meter.sum()
  sum.update(2 ** 24)
  for (let i = 0; i < 3; i++) sum.update(tensor(1))
  t.is(await sum.evaluate(), 2 ** 24 + 3)
})

test('shapes that mean nothing are refused', (t) => {
  t.throws(() => meter.average().update(tensor([1, 2])), { code: 'shape', message: /shape \[2\], expected one number/ })
  t.throws(() => meter.accuracy().update(tensor([1, 2]), labels(1n)), {
    code: 'shape',
    message: /meter.accuracy: got scores and labels of \[2\] and \[1\], expected \[batch, classes, ...\] and \[batch, ...\]/,
  })
  t.throws(() => meter.confusion(2).update(scores([1, 2]), labels(1n, 0n)), { code: 'shape' })
  t.throws(() => meter.f1({ classes: 3 }).update(scores([1, 2]), labels(1n)), {
    code: 'shape',
    message: /\[1, 2\] .* expected \[batch, 3, ...\]/,
  })
  t.throws(() => meter.f1().update(tensor([[1], [2]]), labels(1n, 0n)), {
    code: 'shape',
    message: /\[2, 1\] and \[2\], expected one shape/,
  })
  t.throws(() => meter.meanAbsoluteError().update(scores([1, 2]), tensor([1, 2])), { code: 'shape', message: /\[1, 2\] and \[2\]/ })
})

test('options that mean nothing are refused', (t) => {
  const refused = (make: () => unknown, message: RegExp) => t.throws(make, { code: 'argument', message })
  refused(() => meter.movingAverage(0), /window 0, expected a whole number from 1/)
  refused(() => meter.accuracy({ topK: 0 }), /topK 0, expected a whole number from 1/)
  // @ts-expect-error of one score there is no second
  refused(() => meter.accuracy({ threshold: 0, topK: 2 }), /unknown option 'topK'/)
  refused(() => meter.f1({ classes: ['a', 'a'] }), /classes a, a, expected names that differ/)
  refused(() => meter.confusion(1), /classes 1, expected a whole number from 2/)
  refused(() => meter.f1({ classes: 2, zeroDivision: 3 }), /zeroDivision 3, expected 0, 1 or NaN/)
  // @ts-expect-error classes are missing
  refused(() => meter.f1({ average: 'macro' }), /unknown option 'average'/)
  // @ts-expect-error no average
  refused(() => meter.recall({ classes: 2, average: 'mean' }), /average 'mean', expected one of macro, micro, weighted, none/)
  // @ts-expect-error a threshold is for one score
  refused(() => meter.recall({ classes: 2, threshold: 1 }), /unknown option 'threshold'/)
})

test('labels that are no class are told of when the epoch ends, those to be ignored are not', async (t) => {
  for (const each of [meter.confusion(2), meter.iou({ classes: 2 })]) {
    each.update(scores([0, 1], [0, 1], [0, 1]), labels(2n, -1n, -100n))
    await t.throwsAsync(each.evaluate(), { code: 'argument', message: /2 labels are no class; expected 0 to 1, or \{ ignoreIndex \}/ })
  }
  const binary = meter.precision()
  binary.update(tensor([1]), tensor([0.5]))
  await t.throwsAsync(binary.evaluate(), { code: 'argument', message: /1 label is no class/ })
})

test('a state that is none is refused', (t) => {
  t.throws(() => meter.sum().loadStateDict('x'), { code: 'io', message: /expected a list of numbers/ })
  t.throws(() => meter.confusion(2).loadStateDict([1, 2]), { code: 'io', message: /is a list of 2, expected a list of 5 numbers/ })
})

test('values of 16 bits count as what they are, not as their bits', async (t) => {
  for (const dtype of ['bfloat16', 'float16'] as const) {
    const mean = meter.average()
    mean.update(tensor(3, { dtype }))
    mean.update(tensor([1.5], { dtype }))
    t.is(await mean.evaluate(), 2.25)
  }
})
