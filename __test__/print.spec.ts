// What a person sees of a tensor.
import { inspect } from 'node:util'
import test from 'ava'
import { arange, ones, tensor, zeros } from '../ts/index.ts'

test('small tensors show every element, aligned', (t) => {
  t.is(
    String(
      tensor([
        [1, -2.5],
        [10, 0],
      ]),
    ),
    'Tensor float32 [2, 2]\n[[ 1.0000, -2.5000],\n [10.0000,  0.0000]]',
  )
  t.is(inspect(arange(0, 3, { dtype: 'int64' })), 'Tensor int64 [3]\n[0, 1, 2]')
  t.is(String(tensor([true, false])), 'Tensor bool [2]\n[ true, false]')
  t.is(String(tensor(3)), 'Tensor float32 []\n3.0000')
})

test('large ones are cut in the middle of each long dimension', (t) => {
  const text = String(zeros([2000, 20]))
  t.true(text.startsWith('Tensor float32 [2000, 20]\n[[0.0000, 0.0000, 0.0000, ..., 0.0000, 0.0000, 0.0000],\n'))
  t.is(text.split('\n').length, 1 + 7)
})

test('very large and very small numbers get exponents; NaN and infinity stay words', (t) => {
  t.is(String(tensor([1e-6, 1])), 'Tensor float32 [2]\n[1.0000e-6, 1.0000e+0]')
  t.is(String(tensor([NaN, Infinity, 1])), 'Tensor float32 [3]\n[     NaN, Infinity,   1.0000]')
})

test('empty and freed tensors say so', (t) => {
  t.is(String(zeros([0, 3])), 'Tensor float32 [0, 3] (empty)')
  const x = ones([2])
  x.dispose()
  t.is(String(x), 'Tensor (freed)')
})
