// A training with dropout, batch norm, windows and meters, to run other tasks in the middle of.
import { DatasetNode, LossNode, meter, MetricNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { F } from '../../ts/nn/index.ts'
import { adamW, cosine, sgd } from '../../ts/optim/index.ts'
import { call, evaluate, HyperGraph, repeat, saveCheckpoint, train, type TrainOptions } from '../../ts/run/index.ts'
import { seed } from '../../ts/tensor/index.ts'
import { images, Net } from './program.ts'

/** What was done, in words: iterations with the samples that they saw and the loss, to the last bit. */
export type Trace = string[]

/** How it differs. */
export interface InterruptedOptions {
  /** Iterations of an update. */
  readonly windows?: number
  /** Iterations of an update of one of its optimizers. */
  readonly own?: number
  /** Whether it is evaluated on the data that it trains on. */
  readonly shared?: boolean
}

/** A graph that trains on 6 batches and evaluates on 3, with dropout and batch norm. */
export function interrupted(start: number, { windows = 1, own = 1, shared = false }: InterruptedOptions = {}) {
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

/** A training with a few things in the middle, each of which leaves its trace. */
export function program(start: number, length: TrainOptions, options: InterruptedOptions = {}) {
  const { graph, trace, module } = interrupted(start, options)
  const note = (word: string) => call(() => void trace.push(word))
  const tasks = [
    note('begins'),
    evaluate({ epochs: 1, tags: 'val' }),
    saveCheckpoint({ to: 'middle.safetensors' }),
    repeat(2, [note('again'), evaluate({ steps: 1, tags: 'val' })]),
    note('ends'),
  ]
  const training = train({ ...length, tags: 'train', every: { steps: 3, tasks } })
  return { graph, trace, module, tasks: [training, note('trained')] }
}
