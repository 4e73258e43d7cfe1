import test from 'ava'
import { clipGradNorm, clipGradValue } from '../../ts/optim/index.ts'
import { type DType, ones, type Tensor, tensor } from '../../ts/tensor/index.ts'
import { closeTo, fixture, fromStored } from '../helpers.ts'

const { start, clip } = fixture('optim')

function params(): Tensor<DType>[] {
  return start.map((value, k) => {
    const param = fromStored(value)
    param.requiresGrad = true
    param.grad = tensor(
      Array.from({ length: param.size }, (_, i) => (((7 + 5 * k + 3 * i) % 17) - 8) / 16),
      { shape: param.shape, dtype: param.dtype },
    )
    return param
  })
}

for (const { maxNorm, normType, norm, grads } of clip) {
  test(`clipGradNorm to ${maxNorm} in the ${normType}-norm equals PyTorch’s`, (t) => {
    const list = params()
    closeTo(t, [clipGradNorm(list, maxNorm, { p: Number(normType) })], [norm])
    for (const [k, param] of list.entries()) closeTo(t, param.grad?.dataSync() ?? [], grads[k] ?? [], {}, `parameter ${k}`)
  })
}

test('parameters without gradient do not count; none at all has norm 0', (t) => {
  const [a, b] = [ones([1], { requiresGrad: true }), ones([1], { requiresGrad: true })]
  t.is(clipGradNorm([a, b], 1), 0)
  a.grad = tensor([3])
  t.is(clipGradNorm([a, b], 1), 3)
  t.is(b.grad, null)
})

test('a norm that is not finite poisons every gradient, so that nobody misses it', (t) => {
  const [a, b] = [ones([1], { requiresGrad: true }), ones([1], { requiresGrad: true })]
  a.grad = tensor([NaN])
  b.grad = tensor([1])
  t.is(clipGradNorm([a, b], 1), NaN)
  t.is(b.grad.itemSync(), NaN)
})

test('clipGradValue clamps every number', (t) => {
  const a = ones([3], { requiresGrad: true })
  a.grad = tensor([-5, 0.25, 5])
  clipGradValue([a], 0.5)
  closeTo(t, a.grad, [-0.5, 0.25, 0.5])
})

test('limits and orders that make no sense are refused', (t) => {
  t.throws(() => clipGradNorm([], 0), { code: 'argument', message: /maxNorm must be a number > 0, got 0/ })
  t.throws(() => clipGradNorm([], 1, { p: 0 }), { code: 'argument', message: /p must be > 0/ })
  t.throws(() => clipGradNorm([], 1, Object.assign({ p: 2 }, { norm: 1 })), { code: 'argument', message: /norm/ })
  t.throws(() => clipGradValue([], NaN), { code: 'argument', message: /limit must be a number > 0, got NaN/ })
})
