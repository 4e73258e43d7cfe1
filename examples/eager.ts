// The eager style: a loop of one's own.
import { F, nn, optim, tensorScope, type Tensor } from 'firn-ml'
import { DataLoader } from 'firn-ml/data'
import { mnist } from 'firn-ml/datasets'

class Mlp extends nn.Module {
  fc1 = new nn.Linear(784, 128)
  fc2 = new nn.Linear(128, 10)
  forward(x: Tensor) {
    return this.fc2.forward(this.fc1.forward(x).relu())
  }
}

const loader = new DataLoader({ dataset: mnist({ split: 'train' }), batchSize: 64, shuffle: true })

const model = new Mlp()
const opt = optim.adamW({ lr: 1e-3, weightDecay: 0.01, clipGradNorm: 1 }).bind(model)

for await (const { image, label } of loader) {
  using step = tensorScope()             // frees what this step made; parameters and optimizer state stay
  const loss = F.crossEntropy(model.forward(image.flatten(1)), label)
  loss.backward()
  opt.step()
  opt.zeroGrad()
}

const unseen = mnist({ split: 'test' })
const { image, label } = unseen.batch(Array.from({ length: unseen.length }, (_, i) => i))
const right = await model.forward(image.flatten(1)).argmax(-1).eq(label).sum().item()
console.log(`${right} of ${unseen.length} unseen digits are right after one pass`)
