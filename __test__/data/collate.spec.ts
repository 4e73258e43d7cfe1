import test from 'ava'
import { collate } from '../../ts/data/index.ts'
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
  t.throws(() => collate([{ a: 1 }, { b: 1 }]), { code: 'argument', message: /one has a, another b/ })
  t.throws(() => collate([[1, 2], [1]]), { code: 'argument', message: /one has 0, 1, another 0/ })
  t.throws(() => collate([ones([2]), ones([3])]), { code: 'shape' })
})
