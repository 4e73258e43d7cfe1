import test from 'ava'
import { noGrad } from '../../ts/autograd/index.ts'
import { BatchNorm2d } from '../../ts/nn/index.ts'
import { memory, ones, type Tensor, tensor, tensorScope, zeros } from '../../ts/tensor/index.ts'
import { closeTo, fixture } from '../helpers.ts'
import { stored, storedState, weighted } from './layers.ts'

const tolerance = { rtol: 1e-5, atol: 1e-5 }

for (const { options, before, steps, eval: evaluation } of fixture('nn').batchNorm2d) {
  test(`BatchNorm2d ${JSON.stringify(options)} equals PyTorch over three training steps and in evaluation`, (t) => {
    const layer = new BatchNorm2d(3, options)
    layer.loadStateDict(storedState(before))
    for (const { x, out, state, grad } of steps) {
      const input = stored(x, true)
      const result = layer.forward(input)
      closeTo(t, result, out.data, tolerance, 'out')
      for (const [key, { data }] of Object.entries(state)) closeTo(t, layer.stateDict()[key]?.dataSync() ?? [], data, tolerance, key)
      for (const parameter of layer.parameters()) parameter.grad = null
      weighted(result).backward()
      closeTo(t, input.grad?.dataSync() ?? [], grad['x'] ?? [], { rtol: 1e-4, atol: 1e-4 }, 'x.grad')
      for (const [name, parameter] of layer.namedParameters())
        closeTo(t, parameter.grad?.dataSync() ?? [], grad[name] ?? [], { rtol: 1e-4, atol: 1e-4 }, name)
    }
    closeTo(t, layer.eval().forward(stored(evaluation.x)), evaluation.out.data, tolerance, 'eval')
  })
}

const batches = [tensor([1, 2, 3, 6], { shape: [2, 1, 1, 2] }), tensor([0, 10, 0, 10], { shape: [2, 1, 2, 1] })]

test('momentum null keeps the average over all batches', (t) => {
  const layer = new BatchNorm2d(1, { momentum: null })
  for (const batch of batches) layer.forward(batch)
  closeTo(t, layer.runningMean?.dataSync() ?? [], [(3 + 5) / 2])
  closeTo(t, layer.runningVar?.dataSync() ?? [], [(14 / 3 + 100 / 3) / 2])
  t.is(layer.numBatchesTracked?.itemSync(), 2)
})

test('evaluation neither uses nor changes the statistics of the batch', (t) => {
  const layer = new BatchNorm2d(1).eval()
  const [batch] = batches
  if (!batch) return t.fail()
  closeTo(t, layer.forward(batch), [1, 2, 3, 6], { rtol: 1e-5 })
  t.is(layer.numBatchesTracked?.itemSync(), 0)
})

test('without running statistics every batch is normalised by its own, also in evaluation', (t) => {
  const layer = new BatchNorm2d(1, { trackRunningStats: false, affine: false })
  t.deepEqual(layer.stateDict(), {})
  const x = tensor([1, 3], { shape: [2, 1, 1, 1] })
  closeTo(t, layer.forward(x), [-1, 1], { atol: 1e-4 })
  closeTo(t, layer.eval().forward(x), [-1, 1], { atol: 1e-4 })
})

test('the running statistics take no part in the gradient and leave no tensors behind', (t) => {
  const layer = new BatchNorm2d(2)
  const x = ones([4, 2, 1, 1])
  noGrad(() => layer.forward(x)).dispose()
  const before = memory().tensors
  {
    using _ = tensorScope()
    layer.forward(x).sum().backward()
    for (const parameter of layer.parameters()) parameter.grad = null
  }
  t.is(memory().tensors, before)
  t.false(layer.runningMean?.requiresGrad)
})

test('wrong shapes say what was expected', (t) => {
  const layer = new BatchNorm2d(3)
  const forward = (x: Tensor) => () => layer.forward(x)
  t.throws(forward(zeros([2, 4, 5, 5])), { code: 'shape', message: 'BatchNorm2d: expected [batch, 3, height, width], got [2, 4, 5, 5]' })
  t.throws(forward(zeros([2, 3])), { code: 'shape' })
  t.throws(forward(zeros([1, 3, 1, 1])), { code: 'shape', message: /one value a channel/ })
  t.is(layer.numBatchesTracked?.itemSync(), 0)
  t.notThrows(() => layer.eval().forward(zeros([1, 3, 1, 1])))
  t.throws(() => new BatchNorm2d(3, Object.assign({ eps: 1 }, { epsilon: 1 })), { code: 'argument', message: /epsilon/ })
})
