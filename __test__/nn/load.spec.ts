import test from 'ava'
import { FirnError } from '../../ts/errors.ts'
import { BatchNorm2d, Linear, Module } from '../../ts/nn/index.ts'
import { type DType, ones, type Tensor, zeros } from '../../ts/tensor/index.ts'

class Net extends Module {
  conv1 = new Linear(2, 3)
  bn = new BatchNorm2d(3)
  override forward(x: Tensor): Tensor {
    return this.conv1.forward(x)
  }
}

const values = (net: Net): number[][] => Object.values(net.stateDict()).map((tensor) => Array.from(tensor.dataSync(), Number))

function broken(): Record<string, Tensor<DType>> {
  const { 'conv1.weight': weight, 'conv1.bias': _, ...state } = new Net().stateDict()
  if (!weight) throw new Error('no weight')
  return { ...state, 'conv.weight': weight, 'bn.running_mean': zeros([4]), 'bn.running_var': ones([3], { dtype: 'float64' }) }
}

test('loading takes every value over, also of buffers, in place', (t) => {
  const [from, to] = [new Net(), new Net()]
  from.bn.forward(ones([2, 3, 1, 1]))
  const { weight } = to.conv1
  const report = to.loadStateDict(from.stateDict())
  t.deepEqual(report, { missing: [], unexpected: [], mismatched: [] })
  t.deepEqual(values(to), values(from))
  t.is(to.conv1.weight, weight)
  t.true(weight.requiresGrad)
  t.is(to.bn.numBatchesTracked?.itemSync(), 1)
})

test('strict loading lists every difference at once, with the nearest names, and changes nothing', (t) => {
  const net = new Net()
  const before = values(net)
  const error = t.throws(() => net.loadStateDict(broken()), { instanceOf: FirnError, code: 'argument' })
  t.is(
    error?.message,
    [
      'Net.loadStateDict: 5 differences, nothing was loaded; { strict: false } loads what fits',
      "  missing: conv1.weight (did you mean 'conv.weight'?)",
      '  missing: conv1.bias',
      "  unexpected: conv.weight (did you mean 'conv1.weight'?)",
      '  mismatched: bn.running_mean is float32 [3] in the module, float32 [4] in the state dict',
      '  mismatched: bn.running_var is float32 [3] in the module, float64 [3] in the state dict',
    ].join('\n'),
  )
  t.deepEqual(values(net), before)
})

test('non-strict loading takes what fits and reports the rest as data', (t) => {
  const net = new Net()
  const weight = Array.from(net.conv1.weight.dataSync())
  const report = net.loadStateDict({ ...broken(), 'bn.bias': ones([3]) }, { strict: false })
  t.deepEqual(report, {
    missing: ['conv1.weight', 'conv1.bias'],
    unexpected: ['conv.weight'],
    mismatched: [
      { key: 'bn.running_mean', expected: { dtype: 'float32', shape: [3] }, found: { dtype: 'float32', shape: [4] } },
      { key: 'bn.running_var', expected: { dtype: 'float32', shape: [3] }, found: { dtype: 'float64', shape: [3] } },
    ],
  })
  t.deepEqual(Array.from(net.conv1.weight.dataSync()), weight)
  t.deepEqual(Array.from(net.bn.bias?.dataSync() ?? []), [1, 1, 1])
})

test('values are copied: changing the source afterwards changes nothing', (t) => {
  const layer = new Linear(1, 1)
  const state = { weight: ones([1, 1]), bias: zeros([1]) }
  layer.loadStateDict(state)
  state.weight.assign(zeros([1, 1]))
  t.is(layer.weight.itemSync(), 1)
})

test('a name that objects inherit is missing, not found', (t) => {
  class Odd extends Module {
    readonly constructor_ = this.registerBuffer('toString', ones([1]))
    override forward(): void {}
  }
  t.deepEqual(new Odd().loadStateDict({}, { strict: false }).missing, ['toString'])
})

test('unknown options are refused', (t) => {
  const layer = new Linear(1, 1)
  t.throws(() => layer.loadStateDict(layer.stateDict(), Object.assign({ strict: true }, { stict: false })), {
    code: 'argument',
    message: /stict/,
  })
})
