import test from 'ava'
import { inspect } from 'node:util'
import { BatchNorm2d, Conv2d, Linear, Module, Sequential } from '../../ts/nn/index.ts'
import type { Tensor } from '../../ts/tensor/index.ts'

class Net extends Module {
  conv = new Conv2d(1, 10, { kernel: 5, stride: [1, 2] })
  body = new Sequential(new BatchNorm2d(10), function relu(x) {
    return x.relu()
  })
  fc = new Linear(320, 10)
  override forward(x: Tensor): Tensor {
    return this.fc.forward(x)
  }
}

test('a module prints as a tree with the number of parameters', (t) => {
  const net = new Net()
  net.fc.freeze()
  const text = [
    'Net(  # 3,490 parameters, 280 trainable',
    '  (conv): Conv2d(1, 10, kernel=5, stride=[1, 2])  # 260 parameters',
    '  (body): Sequential(  # 20 parameters',
    '    (0): BatchNorm2d(10, eps=0.00001, momentum=0.1)  # 20 parameters',
    '    (1): Lambda(relu)',
    '  )',
    '  (fc): Linear(320, 10)  # 3,210 parameters, frozen',
    ')',
  ].join('\n')
  t.is(inspect(net), text)
  t.is(String(net), text)
})
