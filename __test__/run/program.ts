// A small training program with all that a resumed run has to get right: dropout, batch norm, shuffling, windows, schedules, meters.
import { TensorDataset } from '../../ts/data/index.ts'
import { DatasetNode, LossNode, meter, MetricNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { BatchNorm2d, Conv2d, Dropout, F, Linear, Module } from '../../ts/nn/index.ts'
import { adamW, cosine, sgd } from '../../ts/optim/index.ts'
import { evaluate, HyperGraph, repeat, saveCheckpoint, train } from '../../ts/run/index.ts'
import { seed, type Tensor } from '../../ts/tensor/index.ts'
import type { EpochRecord, RunResult } from '../../ts/index.ts'

/** Convolution, norm of the batch, dropout: something of every kind of state. */
export class Net extends Module {
  readonly conv = new Conv2d(1, 3, { kernel: 3 })
  readonly norm = new BatchNorm2d(3)
  readonly drop = new Dropout(0.3)
  readonly fc = new Linear(12, 2)
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.drop.forward(this.norm.forward(this.conv.forward(x)).relu().flatten(1)))
  }
}

/** Images of noise, `[1, 4, 4]`, and labels. */
export function images(offset: number, count = 22) {
  return new TensorDataset({
    image: { dtype: 'float32', shape: [1, 4, 4], data: Float32Array.from({ length: count * 16 }, (_, i) => Math.sin((i + offset) ** 2)) },
    label: { dtype: 'int64', shape: [], data: BigInt64Array.from({ length: count }, (_, i) => BigInt((i * 7) % 2)) },
  })
}

/** What a run does, an entry for each iteration: the samples it saw and the loss, to the last bit. */
export type Trace = [training: boolean, step: number, image: number, loss: number][]

/**
 * The program; first values depend on `start`, so that a program that is not resumed is told from one that is. `mixed`: under autocast to
 * float16, with a scale that overflows at first and then grows often.
 */
export function program(start: number, mixed = false) {
  seed(start)
  const trace: Trace = []
  const module = new Net()
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: images(0), batchSize: 4, shuffle: true }), { tags: 'train' })
    .add('data', new DatasetNode({ dataset: images(9), batchSize: 4 }), { tags: 'val' })
    .add(
      'net',
      new ModuleNode({
        module,
        forward: (n, x) => n.module.forward(x.data.image),
        // Windows of 4 over 6 iterations: some are open where the run is cut.
        optimizers: { 'conv|norm': adamW({ lr: cosine({ from: 0.05, steps: 12 }), accumulate: 4 }), fc: sgd({ lr: 0.1, momentum: 0.9 }) },
      }),
    )
    .add('loss', new LossNode({ forward: (_, x) => F.crossEntropy(x.net, x.data.label) }))
    .add('accuracy', new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.data.label] }))
    .add(
      'trace',
      new Node({ forward: (n, x) => trace.push([n.training, n.globalTrainSteps, x.data.image.sum().itemSync(), x.loss.itemSync()]) }),
    )
  if (mixed) graph.autocast({ dtype: 'float16' }).gradScaler({ initScale: 2 ** 22, growthInterval: 3 })
  const tasks = [
    repeat(2, [
      train({ epochs: 2, tags: 'train' }),
      saveCheckpoint(),
      evaluate({ epochs: 1, tags: 'val' }),
      train({ steps: 3, tags: 'train' }),
    ]),
  ]
  return { graph, tasks, trace, module }
}

/** Records without what a clock says. */
export const timeless = ({ history }: RunResult): Omit<EpochRecord, 'seconds'>[] => history.map(({ seconds: _, ...record }) => record)

/** Every number of the module, bit by bit. */
export const bits = (module: Module): string =>
  Object.values(module.stateDict())
    .map((tensor) => Buffer.from(tensor.dataSync().buffer).toString('hex'))
    .join()
