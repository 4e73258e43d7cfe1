// Creation: from data of every kind, constants, ranges; what is refused.
import test from 'ava'
import * as firn from '../../ts/index.ts'
import { arange, empty, eye, full, fullLike, linspace, ones, tensor, zeros, zerosLike, type DType } from '../../ts/index.ts'
import { closeTo, fixture } from '../helpers.ts'

const { ranges } = fixture('dtypes')
const dtypes = [...new Set(fixture('dtypes').promotion.map(([a]) => a))]

const make = {
  arange: (a: number, b: number, c: number, dtype: DType) => arange(a, b, { step: c, dtype }),
  linspace: (a: number, b: number, c: number, dtype: DType) => linspace(a, b, { count: c, dtype }),
  logspace: (a: number, b: number, c: number, dtype: DType) => firn.logspace(a, b, { count: c, dtype }),
  trilIndices: (a: number, b: number, c: number) => firn.trilIndices(a, b, { offset: c }),
  triuIndices: (a: number, b: number, c: number) => firn.triuIndices(a, b, { offset: c }),
}

/** A unit in the last place, relative. */
const ulp: Partial<Record<DType, number>> = { float16: 2 ** -10, bfloat16: 2 ** -7, float32: 2 ** -23, float64: 2 ** -51 }

for (const fn of ['arange', 'linspace', 'logspace', 'trilIndices', 'triuIndices'] as const) {
  test(`${fn} gives PyTorch's numbers`, (t) => {
    for (const [name, a, b, c, dtype, out] of ranges) {
      if (name !== fn) continue
      const made = make[fn](a, b, c, dtype)
      const what = `${fn}(${a}, ${b}, ${c}) ${dtype}`
      t.deepEqual([made.shape, made.dtype], [out.shape, out.dtype], what)
      const rtol = ulp[dtype] ?? 0
      closeTo(t, made.to('float64'), out.data, { rtol, atol: rtol * Math.max(Math.abs(a), Math.abs(b)) * 0.5 }, what)
    }
  })
}

test('every dtype is made, filled and read', (t) => {
  for (const dtype of dtypes) {
    for (const x of [
      zeros([2, 2], { dtype }),
      ones([2, 2], { dtype }),
      full([2, 2], 1, { dtype }),
      empty([2], { dtype }),
      eye(2, { dtype }),
    ]) {
      t.is(x.dtype, dtype)
    }
    t.deepEqual(eye(2, { dtype, columns: 3 }).to('int64').toArraySync(), [
      [1, 0, 0],
      [0, 1, 0],
    ])
    t.deepEqual(
      fullLike(zeros([2]), 1, { dtype })
        .to('int64')
        .toArraySync(),
      [1, 1],
    )
    t.is(zerosLike(ones([3], { dtype })).dtype, dtype)
  }
  t.deepEqual(zerosLike(ones([2, 3]), { dtype: 'int8', requiresGrad: false }).shape, [2, 3])
  t.true(zerosLike(ones([2]), { requiresGrad: true }).requiresGrad)
})

test('typed arrays go in and come out as they are', (t) => {
  const arrays = [
    new Float64Array([1.1, -0, NaN]),
    new Float32Array([1.5, Infinity]),
    new BigInt64Array([2n ** 62n, -1n]),
    new Int32Array([-(2 ** 31), 5]),
    new Int16Array([-5]),
    new Int8Array([-128]),
    new Uint8Array([255]),
    ...(globalThis.Float16Array === undefined ? [] : [new Float16Array([1.5, 65504, NaN])]),
  ]
  for (const array of arrays) t.deepEqual(tensor(array).dataSync(), array)
  t.is(tensor(new Uint8ClampedArray([7])).dtype, 'uint8')
  t.deepEqual(tensor(new Float32Array([1, 2, 3, 4]).subarray(1, 3)).toArraySync(), [2, 3], 'a view of part of a buffer')
  const bits = ones([2], { dtype: 'bfloat16' }).dataSync()
  t.deepEqual(bits, new Uint16Array([0x3f80, 0x3f80]))
  t.deepEqual(tensor(bits, { dtype: 'bfloat16' }).toArraySync(), [1, 1], 'and back')
  const half = tensor([1.5, -2], { dtype: 'float16' })
  t.is(half.dataSync().constructor.name, globalThis.Float16Array === undefined ? 'Uint16Array' : 'Float16Array')
  t.deepEqual(half.toArraySync(), [1.5, -2])
})

test('what data() gives is apart from the tensor', async (t) => {
  const x = ones([3])
  const data = await x.data()
  data[0] = 5
  t.deepEqual(x.toArraySync(), [1, 1, 1])
  t.deepEqual(x.reshape([1, 3]).slice(0, [1, null]).dataSync(), new Float32Array([1, 1]), 'a view gives its own elements')
})

test('nested arrays of numbers, booleans and bigints', (t) => {
  t.is(tensor([[1n, 2n]]).dtype, 'int64')
  t.deepEqual(tensor([[1n, 2n]]).dataSync(), new BigInt64Array([1n, 2n]))
  t.deepEqual(tensor([2n ** 62n + 1n]).dataSync(), new BigInt64Array([2n ** 62n + 1n]), 'beyond doubles')
  t.is(tensor(5n, { dtype: 'float32' }).itemSync(), 5)
  t.is(tensor(true).itemSync(), true)
  t.deepEqual(tensor([1, 0], { dtype: 'bool' }).toArraySync(), [true, false])
  t.deepEqual([tensor([]).shape, tensor([]).dtype, tensor([[], []]).shape], [[0], 'float32', [2, 0]])
  t.deepEqual(tensor([NaN, -0]).toArraySync(), [NaN, -0])
  t.deepEqual(tensor([1.9, -1.9], { dtype: 'int32' }).toArraySync(), [1, -1], 'as PyTorch: towards zero')
  t.is(tensor([16_777_217], { dtype: 'int64' }).itemSync(), 16_777_217, 'not through float32')
})

const refused: readonly [what: string, code: string, message: RegExp, make: () => unknown][] = [
  ['a tensor', 'dtype', /got Tensor; use x\.clone\(\)/, () => Reflect.apply(tensor, null, [ones([1])])],
  ['tensors in a list', 'dtype', /stack\(list\)/, () => Reflect.apply(tensor, null, [[ones([1])]])],
  ['a string', 'dtype', /got 'abc'/, () => Reflect.apply(tensor, null, ['abc'])],
  ['undefined in a list', 'dtype', /numbers like the first one and got undefined/, () => Reflect.apply(tensor, null, [[1, undefined]])],
  ['numbers and bigints', 'dtype', /numbers like the first one and got 2/, () => Reflect.apply(tensor, null, [[1, 2n]])],
  ['ragged arrays', 'shape', /ragged.*\[2, 2\].*an array of 1/, () => tensor([[1, 2], [3]])],
  ['ragged depth', 'shape', /ragged/, () => Reflect.apply(tensor, null, [[1, [2]]])],
  ['a bigint beyond int64', 'argument', /9223372036854775808 is outside the range of dtype int64/, () => tensor([2n ** 63n])],
  ['300 as uint8', 'argument', /300 is outside the range of dtype uint8, \[0, 255\]/, () => tensor([300], { dtype: 'uint8' })],
  ['NaN as int64', 'dtype', /NaN is no whole number/, () => tensor([NaN], { dtype: 'int64' })],
  ['a Uint16Array', 'dtype', /Uint16Array.*Int32Array\.from/, () => tensor(new Uint16Array(2))],
  ['a Uint32Array', 'dtype', /Uint32Array/, () => Reflect.apply(tensor, null, [new Uint32Array(2)])],
  ['a shape that does not fit', 'shape', /6 elements.*\[4\] needs 4/, () => tensor(new Float32Array(6), { shape: [4] })],
  ['-1 of uint8', 'argument', /full: -1 is outside/, () => full([2], -1, { dtype: 'uint8' })],
  ['more than there is', 'memory', /zeros|full/, () => zeros([4_000_000_000, 4_000_000_000])],
  ['a fraction as a step of integers', 'dtype', /0\.5 is no whole number/, () => arange(0, 2, { step: 0.5, dtype: 'int64' })],
  ['a range of booleans', 'dtype', /bool/, () => arange(0, 2, { dtype: 'bool' })],
  ['half a number of steps', 'argument', /linspace: count/, () => linspace(0, 1, { count: 1.5 })],
  [
    'an option it does not know',
    'argument',
    /trilIndices: unknown option 'ofset'; did you mean 'offset'/,
    () => Reflect.apply(firn.trilIndices, null, [2, 2, { ofset: 1 }]),
  ],
]

for (const [what, code, message, act] of refused) {
  test(`refused: ${what}`, (t) => {
    t.throws(act, { code, message })
  })
}
