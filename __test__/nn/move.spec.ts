import test from 'ava'
import { BatchNorm2d, Linear, Module } from '../../ts/nn/index.ts'
import { memory, type Tensor } from '../../ts/tensor/index.ts'

class Net extends Module {
  fc = new Linear(2, 2)
  bn = new BatchNorm2d(2)
  again = this.fc
  override forward(x: Tensor): Tensor {
    return this.fc.forward(x)
  }
}

test('to changes the dtype of parameters and buffers, not that of whole numbers', (t) => {
  const net = new Net()
  t.is(net.to('float64'), net)
  const dtypes = Object.fromEntries(Object.entries(net.stateDict()).map(([key, { dtype }]) => [key, String(dtype)]))
  t.is(dtypes['fc.weight'], 'float64')
  t.is(dtypes['bn.running_mean'], 'float64')
  t.is(dtypes['bn.num_batches_tracked'], 'int64')
})

test('values, requiresGrad, keys and sharing survive the move', (t) => {
  const net = new Net()
  net.fc.freeze()
  const before = Array.from(net.fc.weight.dataSync(), Number)
  net.to({ dtype: 'float64' })
  t.deepEqual(Array.from(net.fc.weight.dataSync(), Number), before)
  t.false(net.fc.weight.requiresGrad)
  t.true(net.bn.weight?.requiresGrad)
  t.is(net.again.weight, net.fc.weight)
  t.true('bn.running_var' in net.stateDict())
})

test('a shared tensor stays shared', (t) => {
  class Tied extends Module {
    a = new Linear(2, 2)
    b = Object.assign(new Linear(2, 2), { weight: this.a.weight })
    override forward(): void {}
  }
  const tied = new Tied().to('float64')
  t.is(tied.b.weight, tied.a.weight)
  t.is(String(tied.a.weight.dtype), 'float64')
})

test('the tensors before the move are freed, and a move to where it is does nothing', (t) => {
  const net = new Net()
  const { weight } = net.fc
  const before = memory().tensors
  t.is(net.to('float32').fc.weight, weight)
  net.to('float64')
  t.true(weight.isDisposed)
  t.is(memory().tensors, before)
})

test('an unknown place is refused', (t) => {
  t.throws(() => new Linear(1, 1).to(Object.assign({ dtype: 'float64' as const }, { devise: 'cpu' })), {
    code: 'argument',
    message: /devise/,
  })
})
