import test from 'ava'
import { Linear } from '../../ts/nn/index.ts'
import { seed, tensor } from '../../ts/tensor/index.ts'
import { checkLayers } from './layers.ts'

checkLayers('Linear', ({ inFeatures, outFeatures, ...options }) => new Linear(Number(inFeatures), Number(outFeatures), options))

test('weight and bias start within 1/sqrt(inFeatures), and fill that range', (t) => {
  seed(1)
  const { weight, bias } = new Linear(100, 50)
  t.deepEqual(weight.shape, [50, 100])
  t.deepEqual(bias?.shape, [50])
  for (const values of [weight.dataSync(), bias?.dataSync() ?? []]) {
    const largest = Math.max(...Array.from(values, Math.abs))
    t.true(largest <= 0.1 && largest > 0.09, `largest ${largest}`)
  }
})

test('a layer is applied to the last dimension, whatever comes before', (t) => {
  const layer = new Linear(2, 3)
  t.deepEqual(layer.forward(tensor([1, 2])).shape, [3])
  t.deepEqual(layer.forward(tensor([[[1, 2]], [[3, 4]]])).shape, [2, 1, 3])
})

test('bias: false leaves the bias out of the state', (t) => {
  t.deepEqual(Object.keys(new Linear(2, 3, { bias: false }).stateDict()), ['weight'])
})

test('bad sizes and unknown options are refused', (t) => {
  t.throws(() => new Linear(2.5, 3), { code: 'argument', message: 'Linear: inFeatures must be a whole number >= 1, got 2.5' })
  t.throws(() => new Linear(2, 0), { code: 'argument', message: /outFeatures/ })
  t.throws(() => new Linear(2, 3, Object.assign({ bias: true }, { bais: false })), { code: 'argument', message: /bais.*bias/ })
})
