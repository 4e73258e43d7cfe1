// A run with all that has state: dropout, batch norm, shuffling in two workers, windows of three, a scale that moves, schedules, an average of
// the parameters, two optimizers, meters and the best checkpoint.
import { DatasetNode, LossNode, meter, MetricNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { F } from '../../ts/nn/index.ts'
import { adamW, cosine, ema, sgd } from '../../ts/optim/index.ts'
import { evaluate, HyperGraph, repeat, train } from '../../ts/run/index.ts'
import { seed, type Tensor } from '../../ts/tensor/index.ts'
import { images, Net, type Trace } from './program.ts'

/** Iterations of the whole run: three epochs of 8 to train and 3 to evaluate. */
export const iterations = 3 * (8 + 3)

/** The run; first values depend on `start`, so that a run that is not resumed is told from one that is. */
export function everything(start: number) {
  seed(start)
  const trace: Trace = []
  const module = new Net()
  const net = new ModuleNode({
    module,
    forward: (n, x: { data: { image: Tensor } }) => n.module.forward(x.data.image),
    optimizers: {
      'conv|norm': adamW({ lr: cosine({ from: 0.05, steps: 9 }), average: ema({ decay: 0.8 }), clipGradNorm: 1 }),
      fc: sgd({ lr: 0.1, momentum: 0.9, accumulate: 2 }),
    },
  })
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: images(0, 30), batchSize: 4, shuffle: true, workers: 2 }), { tags: 'train' })
    .add('data', new DatasetNode({ dataset: images(9, 12), batchSize: 4 }), { tags: 'val' })
    .add('net', net)
    .add('loss', new LossNode({ forward: (_, x) => F.crossEntropy(x.net, x.data.label) }))
    .add(
      'score',
      new MetricNode({
        meter: meter.dict({ loss: meter.average(), accuracy: meter.accuracy() }),
        forward: (_, x) => [{ loss: [x.loss], accuracy: [x.net, x.data.label] }],
        saveBest: { metric: 'loss', mode: 'min', keep: 2 },
      }),
    )
    .add(
      'trace',
      new Node({ forward: (n, x) => trace.push([n.training, n.globalTrainSteps, x.data.image.sum().itemSync(), x.loss.itemSync()]) }),
    )
    .accumulate(3)
    .autocast({ dtype: 'float16' })
    .gradScaler({ initScale: 2 ** 18, growthInterval: 3 })
  const tasks = [repeat(3, [train({ epochs: 1, tags: 'train' }), evaluate({ epochs: 1, tags: 'val' })])]
  const updates = { stepped: 0, skipped: 0 }
  graph.events.on('update', ({ result }) => void updates[result.kind]++)
  /** Everything that training has made, bit by bit: the module, and what its optimizers remember and average. */
  const bits = (): string => JSON.stringify(plain(net.stateDict()))
  return { graph, tasks, trace, bits, updates }
}

/** A state with the bits of its tensors in hexadecimal. */
export function plain(state: unknown): unknown {
  if (typeof state !== 'object' || state === null) return state
  if ('dataSync' in state && typeof state.dataSync === 'function') return Buffer.from(state.dataSync().buffer).toString('hex')
  return Object.fromEntries(Object.entries(state).map(([key, value]) => [key, plain(value)]))
}
