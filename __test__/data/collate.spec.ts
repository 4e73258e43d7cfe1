import test from 'ava'
import { collate, padded } from '../../ts/data/index.ts'
import { ones, Tensor, zeros } from '../../ts/tensor/index.ts'

test('tensors are stacked, numbers, bigints and booleans become tensors, strings stay', (t) => {
  const batch = collate([
    { x: ones([2]), n: 1.5, big: 3n, yes: true, name: 'a', pair: [1, 'p'] as const },
    { x: zeros([2]), n: 2, big: 4n, yes: false, name: 'b', pair: [2, 'q'] as const },
  ])
  t.deepEqual(batch.x.shape, [2, 2])
  t.deepEqual(
    [batch.n, batch.big, batch.yes].map(({ dtype }) => dtype),
    ['float32', 'int64', 'bool'],
  )
  t.deepEqual(Array.from(batch.n.dataSync()), [1.5, 2])
  t.deepEqual(batch.name, ['a', 'b'])
  t.true(batch.pair[0] instanceof Tensor)
  t.deepEqual(batch.pair[1], ['p', 'q'])
})

test('samples that make no batch are refused', (t) => {
  t.throws(() => collate([1, 'a']), { code: 'argument', message: /no batch of number and string/ })
  t.throws(() => collate([new Date(0)]), { code: 'argument', message: /no batch of Date/ })
  t.throws(() => collate([{ a: 1 }, { b: 1 }]), { code: 'argument', message: /one has the keys a, another the keys b/ })
  t.throws(() => collate([[1, 2], [1]]), { code: 'argument', message: /one has a list of 2, another a list of 1/ })
  t.throws(() => collate([ones([2]), ones([3])]), { code: 'shape', message: /shape \[2\] and \[3\].*padded\(\)/ })
  t.throws(() => collate([new Float32Array(2), new Float32Array(3)]), { code: 'shape', message: /padded\(\)/ })
  t.throws(() => collate([new Float32Array(2), new Int32Array(2)]), { code: 'dtype', message: /float32 and int32/ })
  t.throws(() => collate([ones([2]), new Float32Array(2)]), { code: 'argument', message: /no batch of Tensor and Float32Array/ })
  t.throws(() => collate([2n ** 63n]), { code: 'argument', message: /outside of the range of int64/ })
  t.throws(() => collate([null, undefined]), { code: 'argument', message: /no batch of null and undefined/ })
})

test('typed arrays become rows of their dtype', (t) => {
  const batch = collate([
    { a: Float32Array.of(1, 2), b: Uint8Array.of(3), c: BigInt64Array.of(4n, 5n), deep: [{ d: Int16Array.of(6) }] },
    { a: Float32Array.of(7, 8), b: Uint8Array.of(9), c: BigInt64Array.of(1n, 2n), deep: [{ d: Int16Array.of(-3) }] },
  ])
  t.deepEqual(batch.a.toArraySync(), [
    [1, 2],
    [7, 8],
  ])
  t.deepEqual([batch.b.dtype, batch.c.dtype, batch.deep[0]?.d.dtype], ['uint8', 'int64', 'int16'])
  t.deepEqual(batch.c.toArraySync(), [
    [4, 5],
    [1, 2],
  ])
  t.deepEqual(batch.deep[0]?.d.toArraySync(), [[6], [-3]])
})

test('padded fills samples up to the largest in each dimension', (t) => {
  const batch = padded({ value: 9 })([
    { ids: Int32Array.of(1, 2, 3), x: ones([1, 2]), big: BigInt64Array.of(1n), name: 'a' },
    { ids: Int32Array.of(4), x: zeros([2, 1]), big: BigInt64Array.of(2n, 3n), name: 'b' },
  ])
  t.deepEqual(batch.ids.toArraySync(), [
    [1, 2, 3],
    [4, 9, 9],
  ])
  t.deepEqual(batch.x.toArraySync(), [
    [
      [1, 1],
      [9, 9],
    ],
    [
      [0, 9],
      [0, 9],
    ],
  ])
  t.deepEqual(batch.big.toArraySync(), [
    [1, 9],
    [2, 3],
  ])
  t.deepEqual(batch.name, ['a', 'b'])
  // @ts-expect-error unknown option
  t.throws(() => padded({ fill: 1 }), { code: 'argument', message: /unknown option 'fill'/ })
})
