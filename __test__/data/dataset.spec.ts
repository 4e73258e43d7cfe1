import test from 'ava'
import { TensorDataset } from '../../ts/data/index.ts'

const data = new TensorDataset({
  image: { dtype: 'float32', shape: [2, 1], data: new Uint8Array([0, 51, 102, 153, 204, 255]), scale: 1 / 255 },
  point: { dtype: 'float32', shape: [2], data: new Float32Array([1, 2, 3, 4, 5, 6]) },
  label: { dtype: 'int64', shape: [], data: new BigInt64Array([7n, 8n, 9n]) },
})

test('a batch has one dimension more, in front, in the order of the indices', (t) => {
  const { image, point, label } = data.batch([2, 0])
  t.deepEqual([image.shape, point.shape, label.shape], [[2, 2, 1], [2, 2], [2]])
  t.deepEqual([image.dtype, point.dtype, label.dtype], ['float32', 'float32', 'int64'])
  t.deepEqual(Array.from(point.dataSync()), [5, 6, 1, 2])
  t.deepEqual(Array.from(label.dataSync()), [9n, 7n])
  t.deepEqual(Array.from(image.dataSync()), Array.from(new Float32Array([0.8, 1, 0, 0.2])))
})

test('a sample has the shapes of the fields', (t) => {
  const { image, label } = data.get(1)
  t.deepEqual([image.shape, label.shape, label.itemSync()], [[2, 1], [], 8])
})

test('indices that are none are refused', (t) => {
  for (const index of [-1, 3, 0.5]) t.throws(() => data.batch([0, index]), { code: 'argument', message: /there are 3, counted from 0/ })
})

test('fields of different lengths, or of broken samples, are refused', (t) => {
  const label = { dtype: 'int64', shape: [], data: new BigInt64Array(3) } as const
  t.throws(() => new TensorDataset({ label, x: { dtype: 'float32', shape: [2], data: new Float32Array(4) } }), {
    code: 'shape',
    message: /label 3 of \[\], x 2 of \[2\]/,
  })
  t.throws(() => new TensorDataset({ x: { dtype: 'float32', shape: [2], data: new Float32Array(3) } }), {
    code: 'shape',
    message: /x 1\.5 of \[2\]/,
  })
  t.throws(() => new TensorDataset({}), { code: 'shape', message: /got no field/ })
})

test('fields of every dtype keep their elements', (t) => {
  const { a, b, c, d } = new TensorDataset({
    a: { dtype: 'uint8', shape: [2], data: Uint8Array.of(1, 2, 3, 255) },
    b: { dtype: 'int16', shape: [], data: Int16Array.of(-1, 300) },
    c: { dtype: 'float64', shape: [1], data: Float64Array.of(Math.PI, 1e300).subarray(0, 2) },
    d: { dtype: 'int32', shape: [], data: new Int32Array([0, 7, 8]).subarray(1) },
  }).batch([1, 0])
  t.deepEqual([a.dtype, b.dtype, c.dtype, d.dtype], ['uint8', 'int16', 'float64', 'int32'])
  t.deepEqual(
    [a, b, c, d].map((x) => Array.from(x.dataSync(), Number)),
    [
      [3, 255, 1, 2],
      [300, -1],
      [1e300, Math.PI],
      [8, 7],
    ],
  )
})
