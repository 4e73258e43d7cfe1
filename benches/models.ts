// The networks that several benches train, from the same starting point in every library.
import { F, nn, ones, optim, tensor, tensorScope, zeros, type Tensor } from '../ts/index.ts'
import { scattered, wave, type ConvnetCase, type GptCase, type MlpCase } from './peers/cases.ts'

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

class Norm extends nn.Module {
  weight: nn.Parameter
  bias: nn.Parameter
  constructor(size: number) {
    super()
    this.weight = new nn.Parameter(ones([size]))
    this.bias = new nn.Parameter(zeros([size]))
  }
  forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.weight.size, { weight: this.weight, bias: this.bias })
  }
}

class Block extends nn.Module {
  heads: number
  norm1: Norm
  qkv: nn.Linear
  out: nn.Linear
  norm2: Norm
  up: nn.Linear
  down: nn.Linear
  constructor({ size, heads }: Pick<GptCase, 'size' | 'heads'>) {
    super()
    this.heads = heads
    this.norm1 = new Norm(size)
    this.qkv = new nn.Linear(size, 3 * size)
    this.out = new nn.Linear(size, size)
    this.norm2 = new Norm(size)
    this.up = new nn.Linear(size, 4 * size)
    this.down = new nn.Linear(4 * size, size)
  }
  forward(x: Tensor): Tensor {
    const [batch = 1, length = 1, size = 1] = x.shape
    const qkv = this.qkv.forward(this.norm1.forward(x)).reshape([batch, length, 3, this.heads, size / this.heads])
    const heads = (k: number) => qkv.select(2, k).transpose(1, 2)
    const seen = F.scaledDotProductAttention(heads(0), heads(1), heads(2), { isCausal: true })
    const after = x.add(this.out.forward(seen.transpose(1, 2).reshape([batch, length, size])))
    return after.add(this.down.forward(this.up.forward(this.norm2.forward(after)).gelu()))
  }
}

class Gpt extends nn.Module {
  token: nn.Parameter
  position: nn.Parameter
  blocks: nn.ModuleList<Block>
  norm: Norm
  head: nn.Linear
  constructor({ layers, size, heads, context, vocabulary }: Omit<GptCase, 'kind' | 'batch'>) {
    super()
    this.token = new nn.Parameter(zeros([vocabulary, size]))
    this.position = new nn.Parameter(zeros([context, size]))
    this.blocks = new nn.ModuleList(Array.from({ length: layers }, () => new Block({ size, heads })))
    this.norm = new Norm(size)
    this.head = new nn.Linear(size, vocabulary)
  }
  forward(x: Tensor<'int64'>): Tensor {
    let seen: Tensor = F.embedding(x, this.token).add(this.position)
    for (const block of this.blocks) seen = block.forward(seen)
    return this.head.forward(this.norm.forward(seen)).flatten(0, 1)
  }
}

/** Trains `model`, weights from `wave`: a function that does one step and gives the loss. */
function training<X extends Tensor | Tensor<'int64'>>(
  model: nn.Module & { forward(x: X): Tensor },
  x: X,
  classes: readonly number[],
  fused: boolean,
): () => number {
  let k = 0
  for (const [name, param] of model.namedParameters()) {
    const [out = 1, ...rest] = param.shape
    const fanIn = rest.reduce((a, b) => a * b, 1)
    const values =
      param.shape.length > 1 ? wave(out * fanIn, 1 / Math.sqrt(fanIn), k++) : new Float32Array(out).fill(name.endsWith('bias') ? 0 : 1)
    param.update(() => tensor(values, { shape: param.shape }))
  }
  const labels = tensor(classes, { dtype: 'int64' })
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

const digits = (batch: number) => Array.from({ length: batch }, (_, i) => i % 10)

/** A perceptron's training step. */
export function mlpStep({ sizes, batch }: Pick<MlpCase, 'sizes' | 'batch'>, fused = true): () => number {
  const inputs = sizes[0] ?? 1
  return training(new Mlp(sizes), tensor(wave(batch * inputs, 1, 0), { shape: [batch, inputs] }), digits(batch), fused)
}

/** A convnet's training step. */
export function convnetStep({ channels, hidden, batch }: Pick<ConvnetCase, 'channels' | 'hidden' | 'batch'>, fused = true): () => number {
  const x = tensor(wave(batch * channels[0] * 784, 1, 0), { shape: [batch, channels[0], 28, 28] })
  return training(new Convnet(channels, hidden), x, digits(batch), fused)
}

/** A transformer's training step: each token of a text is told the next. */
export function gptStep(work: Omit<GptCase, 'kind'>): () => number {
  const text = scattered(work.batch * work.context, work.vocabulary)
  const x = tensor(text, { shape: [work.batch, work.context], dtype: 'int64' })
  return training(new Gpt(work), x, [...text.slice(1), ...text.slice(0, 1)], true)
}
