// A training with dropout, batch norm, windows and meters, to run other tasks in the middle of.
import { DatasetNode, LossNode, meter, MetricNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { F } from '../../ts/nn/index.ts'
import { adamW, cosine, sgd } from '../../ts/optim/index.ts'
import { HyperGraph } from '../../ts/run/index.ts'
import { seed } from '../../ts/tensor/index.ts'
import { images, Net } from './program.ts'

/** What was done, in words: iterations with the samples that they saw and the loss, to the last bit. */
export type Trace = string[]

/** A graph that trains on 6 batches and evaluates on 3, with dropout and batch norm; `own` windows are of one of its optimizers. */
export function interrupted(start: number, { windows = 1, own = 1, shared = false } = {}) {
  seed(start)
  const trace: Trace = []
  const module = new Net()
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: images(0), batchSize: 4, shuffle: true }), { tags: shared ? '*' : 'train' })
    .add(
      'net',
      new ModuleNode({
        module,
        forward: (n, x) => n.module.forward(x.data.image),
        optimizers: {
          'conv|norm': adamW({ lr: cosine({ from: 0.05, steps: 12 }), ...(own > 1 && { accumulate: own }) }),
          fc: sgd({ lr: 0.1, momentum: 0.9 }),
        },
      }),
    )
    .add('loss', new LossNode({ forward: (_, x) => F.crossEntropy(x.net, x.data.label) }))
    .add(
      'score',
      new MetricNode({
        meter: meter.average(),
        forward: (_, x) => [x.loss],
        saveBest: { mode: 'min', on: 'train', keep: 9 },
      }),
    )
    .add(
      'trace',
      new Node({
        forward: (n, x) =>
          trace.push(`${n.training ? 'train' : 'eval'} ${n.globalTrainSteps} ${x.data.image.sum().itemSync()} ${x.loss.itemSync()}`),
      }),
    )
    .accumulate(windows)
  if (!shared) graph.add('data', new DatasetNode({ dataset: images(9, 12), batchSize: 4 }), { tags: 'val' })
  return { graph, trace, module }
}
