// The dropouts: rate, scale, gradient, whole channels, moments behind SELU.
import test from 'ava'
import { F, grad, ones, randn, seed, type Tensor, zeros, type DType } from '../../ts/index.ts'

test('dropout has its rate and scale in every dtype, and its gradient drops the same', (t) => {
  for (const dtype of ['float16', 'bfloat16', 'float32', 'float64'] as const) {
    seed(1)
    const x = ones([100, 200], { dtype, requiresGrad: true })
    const y = x.dropout(0.25)
    const kept = y.ne(0).to('float64').mean().itemSync()
    t.true(Math.abs(kept - 0.75) < 0.015, `${dtype}: ${kept}`)
    t.true(Math.abs(y.amax().itemSync() - 4 / 3) < 0.01)
    const [g] = grad([y.sum()], [x])
    t.true(g?.eq(y).all().itemSync())
  }
  const exact = ones([10], { dtype: 'float64' }).dropout(0.9, { training: true }).amax().itemSync()
  t.true(exact === 0 || exact === 1 / (1 - 0.9), 'float64 is not rounded to float32')
  t.deepEqual(ones([3]).dropout(1).toArraySync(), [0, 0, 0])
})

/** How many of the groups along the first `leading` dimensions are dropped, all of whose elements must agree. */
function dropped(t: { true: (ok: boolean) => unknown }, y: Tensor<DType>, leading: number): number {
  const flat = y.reshape([y.shape.slice(0, leading).reduce((a, b) => a * b, 1), -1])
  const [least, most] = [flat.amin(1), flat.amax(1)]
  t.true(least.eq(most).all().itemSync())
  return least.eq(0).to('float32').mean().itemSync()
}

test('dropout1d, 2d and 3d drop whole channels', (t) => {
  seed(2)
  const cases: readonly [Tensor, number][] = [
    [F.dropout1d(ones([50, 40, 5]), 0.3), 2],
    [F.dropout1d(ones([2000, 5]), 0.3), 1],
    [F.dropout2d(ones([50, 40, 3, 3]), 0.3), 2],
    [F.dropout2d(ones([50, 40, 3]), 0.3), 2],
    [F.dropout3d(ones([50, 40, 2, 2, 2]), 0.3), 2],
    [F.dropout3d(ones([2000, 2, 2, 2]), 0.3), 1],
  ]
  for (const [y, leading] of cases) {
    const rate = dropped(t, y, leading)
    t.true(Math.abs(rate - 0.3) < 0.04, `[${y.shape.join(', ')}]: ${rate}`)
    t.true(Math.abs(y.amax().itemSync() - 1 / 0.7) < 1e-6)
  }
  t.throws(() => F.dropout1d(ones([2])), { code: 'shape', message: /dropout1d: expected 2 or 3 dimensions and got shape \[2\]/ })
  t.throws(() => F.dropout2d(ones([2, 2])), { code: 'shape', message: /dropout2d: expected 3 or 4/ })
  t.is(
    F.dropout2d(ones([1, 2, 2, 2]), 0.5, { training: false })
      .sum()
      .itemSync(),
    8,
  )
})

test('alpha dropout takes two values of ones, keeps mean and variance, and has the gradient of its scale', (t) => {
  seed(3)
  // By PyTorch: F.alpha_dropout(torch.ones(12), 0.3, True).
  const y = F.alphaDropout(ones([1000]), 0.3, { training: true })
  const values = [...new Set(Array.from(y.dataSync(), (value) => value.toFixed(4)))].toSorted()
  t.deepEqual(values, ['-1.0595', '1.3150'])
  const z = F.alphaDropout(randn([200_000]), 0.2, { training: true })
  t.true(Math.abs(z.mean().itemSync()) < 0.02 && Math.abs(z.std().itemSync() - 1) < 0.02)
  const x = zeros([1000], { requiresGrad: true })
  const out = F.alphaDropout(x, 0.3, { training: true })
  const [g] = grad([out.sum()], [x])
  t.deepEqual(g?.eq(0).toArraySync(), out.lt(-1).toArraySync(), 'no gradient through what was dropped')
  t.is(
    F.alphaDropout(ones([3]), 1, { training: true })
      .sum()
      .itemSync(),
    0,
  )
  const channels = F.featureAlphaDropout(ones([50, 40, 3]), 0.3, { training: true })
  const flat = channels.reshape([2000, 3])
  t.true(flat.amin(1).eq(flat.amax(1)).all().itemSync())
})

test('integers and probabilities out of range are refused', (t) => {
  t.throws(() => ones([2], { dtype: 'int64' }).dropout(), {
    code: 'dtype',
    message: /dropout: expected a floating point tensor and got int64/,
  })
  t.throws(() => ones([2]).dropout(1.5), { code: 'argument', message: /p is a probability in \[0, 1\] and is 1\.5/ })
})
