// Sizes that no memory holds, and numbers that the border would cut, are errors: not the end of the process, and not another size.
import test from 'ava'
import * as firn from '../ts/index.ts'
import { F, FirnError, memory, ones, tensor, zeros, type FirnErrorCode } from '../ts/index.ts'

const huge = 2 ** 31 - 1
const million = 2 ** 20

const refused: readonly (readonly [name: string, code: FirnErrorCode, call: () => unknown])[] = [
  ['zeros: a size beyond 32 bits', 'shape', () => zeros([2 ** 33])],
  ['zeros: a product beyond 64 bits', 'memory', () => zeros([huge, huge, huge])],
  ['linspace', 'argument', () => firn.linspace(0, 1, { count: 2 ** 40 })],
  ['arange', 'memory', () => firn.arange(0, 1e18)],
  ['eye', 'memory', () => firn.eye(huge)],
  ['expand', 'memory', () => ones([1]).expand([huge, huge, huge])],
  ['broadcasting', 'memory', () => ones([1, million]).sub(ones([million, 1]))],
  ['matmul', 'memory', () => ones([million, 1]).matmul(ones([1, million]))],
  ['repeat', 'memory', () => ones([2]).repeat([huge, huge, huge])],
  ['repeatInterleave', 'memory', () => ones([4]).repeatInterleave(2 ** 52, { dim: 0 })],
  ['diagEmbed', 'memory', () => ones([million]).diagEmbed()],
  ['pad', 'memory', () => ones([2, 2, 2]).pad([huge, huge, huge, huge, huge, huge])],
  ['oneHot', 'memory', () => tensor([0], { dtype: 'int64' }).expand([million]).oneHot(huge)],
  ['conv2d', 'memory', () => F.conv2d(ones([1, 1, 2, 2]), ones([1, 1, 1, 1]), { padding: huge })],
  ['adaptiveAvgPool2d', 'memory', () => ones([1, 1, 2, 2]).adaptiveAvgPool2d(huge)],
  ['narrow: a start beyond 32 bits', 'argument', () => ones([4]).narrow(0, 2 ** 40, 1)],
  ['softmax: half a dim', 'argument', () => ones([4]).softmax(0.5)],
  ['sum: a dim beyond 32 bits', 'argument', () => ones([4]).sum(2 ** 32)],
  ['zeros: numbers where a list stands', 'shape', () => zeros(...([2, 3] as unknown as [number[]]))],
  ['ones: no shape', 'shape', () => ones(undefined as never)],
  ['layerNorm: options where a size stands', 'argument', () => F.layerNorm(ones([4]), { weight: null } as never)],
  ['reshape: null', 'argument', () => ones([4]).reshape(null as never)],
]

for (const [name, code, call] of refused) {
  test(`${name} is refused, with code '${code}'`, (t) => {
    const before = memory().bytes
    const error = t.throws(() => firn.tidy(call), { instanceOf: FirnError })
    t.is(error.code, code, error.message)
    t.is(memory().bytes, before)
  })
}

test('no elements is no size to refuse', (t) => {
  t.deepEqual([...zeros([huge, huge, huge, 0]).shape], [huge, huge, huge, 0])
})
