// The networks that several benches train, from the same starting point in every library.
import { F, nn, optim, tensor, tensorScope, type Tensor } from '../ts/index.ts'
import { wave, type ConvnetCase, type MlpCase } from './peers/cases.ts'

class Mlp extends nn.Module {
  layers: nn.Linear[]
  constructor(sizes: readonly number[]) {
    super()
    this.layers = sizes.slice(1).map((out, k) => new nn.Linear(sizes[k] ?? 1, out))
  }
  forward(x: Tensor): Tensor {
    return this.layers.reduce((h, layer, k) => (k < this.layers.length - 1 ? layer.forward(h).relu() : layer.forward(h)), x)
  }
}

class Convnet extends nn.Module {
  conv1: nn.Conv2d
  conv2: nn.Conv2d
  fc1: nn.Linear
  fc2: nn.Linear
  constructor([one, two, three]: readonly [number, number, number], hidden: number) {
    super()
    this.conv1 = new nn.Conv2d(one, two, { kernel: 3 })
    this.conv2 = new nn.Conv2d(two, three, { kernel: 3 })
    this.fc1 = new nn.Linear(three * 25, hidden)
    this.fc2 = new nn.Linear(hidden, 10)
  }
  forward(x: Tensor): Tensor {
    const a = this.conv1.forward(x).relu().maxPool2d(2)
    const b = this.conv2.forward(a).relu().maxPool2d(2)
    return this.fc2.forward(this.fc1.forward(b.flatten(1)).relu())
  }
}

/** Trains `model`, weights from `wave`: a function that does one step and gives the loss. */
function training(model: Mlp | Convnet, x: Tensor, batch: number, fused: boolean): () => number {
  let k = 0
  for (const [name, param] of model.namedParameters()) {
    const [out = 1, ...rest] = param.shape
    const fanIn = rest.reduce((a, b) => a * b, 1)
    const values = name.endsWith('bias') ? new Float32Array(param.size) : wave(out * fanIn, 1 / Math.sqrt(fanIn), k++)
    param.update(() => tensor(values, { shape: param.shape }))
  }
  const labels = tensor(
    Array.from({ length: batch }, (_, i) => i % 10),
    { dtype: 'int64' },
  )
  const opt = optim.adamW({ lr: 1e-3, weightDecay: 0, fused }).bind(model)
  return () => {
    using _step = tensorScope()
    const loss = F.crossEntropy(model.forward(x), labels)
    loss.backward()
    opt.step()
    opt.zeroGrad()
    return loss.itemSync()
  }
}

/** A perceptron's training step. */
export function mlpStep({ sizes, batch }: Pick<MlpCase, 'sizes' | 'batch'>, fused = true): () => number {
  const inputs = sizes[0] ?? 1
  return training(new Mlp(sizes), tensor(wave(batch * inputs, 1, 0), { shape: [batch, inputs] }), batch, fused)
}

/** A convnet's training step. */
export function convnetStep({ channels, hidden, batch }: Pick<ConvnetCase, 'channels' | 'hidden' | 'batch'>, fused = true): () => number {
  const x = tensor(wave(batch * channels[0] * 784, 1, 0), { shape: [batch, channels[0], 28, 28] })
  return training(new Convnet(channels, hidden), x, batch, fused)
}
