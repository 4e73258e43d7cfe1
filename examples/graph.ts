// The graph style: nodes that read one another, run by tasks.
import { DatasetNode, evaluate, F, HyperGraph, LossNode, meter, MetricNode, ModuleNode, nn, optim, repeat, saveCheckpoint, train, type Tensor } from 'firn-ml'
import { mnist } from 'firn-ml/datasets'

class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 10, { kernel: 5 })
  conv2 = new nn.Conv2d(10, 20, { kernel: 5 })
  fc = new nn.Linear(320, 10)
  forward(x: Tensor) {
    x = this.conv1.forward(x).maxPool2d(2).relu()
    x = this.conv2.forward(x).maxPool2d(2).relu()
    return this.fc.forward(x.flatten(1)).logSoftmax(-1)
  }
}

const graph = new HyperGraph()
  .add('mnist', new DatasetNode({ dataset: mnist({ split: 'train' }), batchSize: 100, shuffle: true }), { tags: 'train' })
  .add('mnist', new DatasetNode({ dataset: mnist({ split: 'test' }), batchSize: 100 }), { tags: 'val' })
  .add('net', new ModuleNode({
    module: new Net(),
    forward: (n, x) => n.module.forward(x.mnist.image),                                   // x: { mnist }
    optimizers: { '^conv': optim.sgd({ lr: 1e-2, momentum: 0.9 }), '^fc': optim.adamW({ lr: optim.cosine({ from: 1e-3, steps: 1800 }) }) },
  }))
  .add('loss', new LossNode({ forward: (_, x) => F.nllLoss(x.net, x.mnist.label) }))      // x: { mnist, net }
  .add('accuracy', new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.mnist.label] }))

const result = await graph.run([
  repeat(3, [train({ epochs: 1, tags: 'train' }), saveCheckpoint(), evaluate({ epochs: 1, tags: 'val' })]),
], { device: 'auto', seed: 0, outDir: 'out' })

console.log(result.outDir, result.metrics)
