// Activations that draw: what they draw from, and how gradients pass by the draw.
import test from 'ava'
import { F } from '../../ts/nn/index.ts'
import { ones, seed, tensor } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'

const logits = [0, Math.log(2), Math.log(5)]

test('gumbelSoftmax: a soft sample sums to 1, and sharpens as the temperature falls', (t) => {
  seed(1)
  const scores = tensor(logits).expand([2000, 3])
  const [mild, sharp] = [1, 0.05].map((tau) => F.gumbelSoftmax(scores, -1, { tau }))
  if (!mild || !sharp) return t.fail()
  closeTo(t, mild.sum(1), ones([2000]).dataSync(), { rtol: 1e-5 })
  t.true(sharp.amax(1).mean().itemSync() > mild.amax(1).mean().itemSync() + 0.1)
})

test('gumbelSoftmax: hard samples are single ones, chosen as often as softmax says', (t) => {
  seed(2)
  const sample = F.gumbelSoftmax(tensor(logits).expand([20_000, 3]), -1, { hard: true })
  t.deepEqual(sample.round().sub(sample).abs().amax().itemSync() < 1e-6, true)
  closeTo(t, sample.sum(1).amax(), [1], { rtol: 1e-6 })
  closeTo(t, sample.mean(0), [1 / 8, 2 / 8, 5 / 8], { atol: 0.015, rtol: 0 })
})

test('gumbelSoftmax: the gradient of a hard sample is that of the soft one', (t) => {
  const weights = tensor([1, -2, 3])
  const [soft, hard] = [false, true].map((hard) => {
    seed(3)
    const x = tensor(logits, { requiresGrad: true })
    F.gumbelSoftmax(x, -1, { tau: 0.7, hard }).mul(weights).sum().backward()
    return x.grad
  })
  if (!soft || !hard) return t.fail()
  t.true(soft.abs().amax().itemSync() > 1e-3)
  closeTo(t, hard, soft.dataSync(), { rtol: 1e-6, atol: 0 })
})

test('rrelu: slopes in training spread over their interval, and are their mean in evaluation', (t) => {
  seed(4)
  const x = ones([20_000]).neg()
  const slopes = x.rrelu({ lower: 0.2, upper: 0.6, training: true }).neg()
  t.true(slopes.amin().itemSync() >= 0.2 && slopes.amax().itemSync() <= 0.6)
  closeTo(t, slopes.mean(), [0.4], { atol: 0.005, rtol: 0 })
  closeTo(t, slopes.std(), [0.4 / Math.sqrt(12)], { atol: 0.005, rtol: 0 })
  closeTo(t, x.rrelu({ lower: 0.2, upper: 0.6 }).amax(), [-0.4], { rtol: 1e-6 })
})
