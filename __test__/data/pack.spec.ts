import test from 'ava'
import { pack, unpack } from '../../ts/data/pack.ts'
import { ones, Tensor, tensor } from '../../ts/tensor/index.ts'

function trip(data: unknown): unknown {
  const { tree, byteLength, write } = pack(data)
  const bytes = new Uint8Array(byteLength)
  write(bytes)
  return unpack(JSON.parse(JSON.stringify(tree)), bytes)
}

test('plain data comes back as it was', (t) => {
  const data = {
    list: [1, -0, NaN, Infinity, -Infinity, 2n ** 70n, -5n, undefined, null, true, 'text', ''],
    $: 'a key of its own',
    deep: { $: [{ $: 'tensor', shape: 'no shape' }] },
    arrays: [
      Float32Array.of(1.5, NaN),
      Uint8Array.of(1, 2, 3),
      Float64Array.of(Math.PI),
      Uint16Array.of(7),
      BigUint64Array.of(2n ** 64n - 1n),
    ],
    part: new Float64Array([1, 2, 3, 4]).subarray(1, 3),
  }
  t.deepEqual(trip(data), data)
  t.deepEqual(Object.keys(trip(JSON.parse('{"__proto__": 1}')) ?? {}), ['__proto__'])
})

for (const dtype of ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64'] as const) {
  test(`a tensor of ${dtype} comes back bit by bit`, (t) => {
    const x = tensor([[0, 1, 1.5]]).to({ dtype })
    const back = trip([Uint8Array.of(1), x])
    const y: unknown = Array.isArray(back) ? back[1] : undefined
    if (!(y instanceof Tensor)) return t.fail()
    t.deepEqual([y.dtype, y.shape], [dtype, [1, 3]])
    t.deepEqual(new Uint8Array(y.dataSync().buffer), new Uint8Array(x.dataSync().buffer))
  })
}

test('what cannot be packed is refused', (t) => {
  for (const data of [() => 1, new Date(0), new Map(), [Symbol('s')]])
    t.throws(() => pack(data), { code: 'argument', message: /expected plain data/ })
  const circle: unknown[] = []
  circle.push(circle)
  t.throws(() => pack(circle), { code: 'argument', message: /contains itself/ })
})

test('trees that do not fit their bytes are refused', (t) => {
  const { tree } = pack(ones([4]))
  for (const [bad, bytes] of [
    [tree, 15],
    [{ $: 'tensor', dtype: 'float31', shape: [1], at: 0 }, 16],
    [{ $: 'tensor', dtype: 'float32', shape: [2 ** 53], at: 0 }, 16],
    [{ $: 'tensor', dtype: 'float32', shape: [-1], at: 0 }, 16],
    [{ $: 'tensor', dtype: 'float32', shape: [2 ** 30, 2 ** 30, 2 ** 30], at: 0 }, 16],
    [{ $: 'tensor', dtype: 'float32', shape: [1], at: 3 }, 16],
    [{ $: 'tensor', dtype: 'float32', shape: 'x', at: 0 }, 16],
    [{ $: 'Float32Array', size: 5, at: 0 }, 16],
    [{ $: 'constructor', size: 4, at: 0 }, 16],
    [{ $: 'number', value: '12' }, 0],
    [{ $: 'bigint', value: 'x' }, 0],
    [{ $: 'record', entries: [[1, 2]] }, 0],
    [{ $: 7 }, 0],
  ] as const)
    t.throws(() => unpack(bad, new Uint8Array(bytes)), { code: 'io', message: /packed data is damaged/ }, JSON.stringify(bad))
})
