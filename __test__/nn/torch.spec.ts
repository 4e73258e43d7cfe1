import test from 'ava'
import { loadSafetensors } from '../../ts/io/index.ts'
import { BatchNorm2d, Conv2d, Linear, Module, ReLU, Sequential } from '../../ts/nn/index.ts'
import type { Tensor } from '../../ts/tensor/index.ts'
import { closeTo, fixture, fixturePath } from '../helpers.ts'
import { stored } from './layers.ts'

class Net extends Module {
  features = new Sequential(new Conv2d(1, 4, { kernel: 3 }), new BatchNorm2d(4), new ReLU())
  fc = new Linear(4, 3, { bias: false })
  override forward(x: Tensor): Tensor {
    return this.fc.forward(this.features.forward(x).mean([2, 3]))
  }
}

test('a file that PyTorch saved loads strictly into the same network and gives the same output', async (t) => {
  const [expected] = fixture('nn').net
  if (!expected) return t.fail('nn.json holds no net')
  const net = new Net().eval()
  t.deepEqual(Object.keys(net.stateDict()), [...expected.keys])
  net.loadStateDict((await loadSafetensors(fixturePath('net.safetensors'))).tensors)
  for (const [key, { data }] of Object.entries(expected.state)) closeTo(t, net.stateDict()[key]?.dataSync() ?? [], data, {}, key)
  closeTo(t, net.forward(stored(expected.x)), expected.evalOut.data, { rtol: 1e-5 })
})
