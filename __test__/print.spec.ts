// What a person sees of a tensor.
import { inspect } from 'node:util'
import test from 'ava'
import { arange, ones, tensor, zeros } from '../ts/index.ts'
import { fixture, fromStored } from './helpers.ts'

test('small tensors show every element, aligned', (t) => {
  t.is(
    String(
      tensor([
        [1, -2.5],
        [10, 0],
      ]),
    ),
    'Tensor float32 [2, 2] cpu\n[[ 1.0000, -2.5000],\n [10.0000,  0.0000]]',
  )
  t.is(inspect(arange(0, 3, { dtype: 'int64' })), 'Tensor int64 [3] cpu\n[0, 1, 2]')
  t.is(String(tensor([true, false])), 'Tensor bool [2] cpu\n[ true, false]')
  t.is(String(tensor(3)), 'Tensor float32 [] cpu\n3.')
})

test('large ones are cut in the middle of each long dimension', (t) => {
  const text = String(zeros([2000, 20]))
  t.true(text.startsWith('Tensor float32 [2000, 20] cpu\n[[0., 0., 0.,  ..., 0., 0., 0.],\n'))
  t.is(text.split('\n').length, 1 + 7)
})

test('very large and very small numbers get exponents; NaN and infinity stay words', (t) => {
  t.is(String(tensor([1e-6, 1])), 'Tensor float32 [2] cpu\n[1.0000e-06, 1.0000e+00]')
  t.is(String(tensor([NaN, Infinity, 1])), 'Tensor float32 [3] cpu\n[     NaN, Infinity,       1.]')
})

test('a large tensor is not read to be printed', (t) => {
  const x = zeros([4096, 4096])
  const started = performance.now()
  t.is(String(x).split('\n').length, 8)
  t.true(performance.now() - started < 50, 'only the ends of its dimensions are read')
})

test('what collects gradients says so', (t) => {
  t.is(String(ones([1], { requiresGrad: true })), 'Tensor float32 [1] cpu requiresGrad\n[1.]')
})

test('empty and freed tensors say so', (t) => {
  t.is(String(zeros([0, 3])), 'Tensor float32 [0, 3] cpu (empty)')
  const x = ones([2])
  x.dispose()
  t.is(String(x), 'Tensor (freed)')
})

for (const { x, text } of fixture('dtypes').prints) {
  test(`like PyTorch: ${x.dtype} [${x.shape.join(', ')}] ${text.slice(0, 30).replace(/\s+/g, ' ')}`, (t) => {
    t.is(
      String(fromStored({ ...x, dtype: 'float64' }).to(x.dtype))
        .split('\n')
        .slice(1)
        .join('\n'),
      text,
    )
  })
}
