// Losses `{ sum, weight }`: micro-batches of any sizes train as one batch of all of them.
import test from 'ava'
import type { GradScalerOptions } from '../../ts/amp/index.ts'
import { DatasetNode, LossNode, ModuleNode } from '../../ts/graph/index.ts'
import { crossEntropy } from '../../ts/nn/functional.gen.ts'
import { Linear, Sequential, Tanh } from '../../ts/nn/index.ts'
import { adamW } from '../../ts/optim/index.ts'
import { HyperGraph, train } from '../../ts/run/index.ts'
import { randint, randn, seed, tensor, type Tensor } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'
import { folder } from './toys.ts'

seed(3)
const images = randn([24, 6])
const labels = randint(0, 4, { shape: [24] })

/** Pieces of the samples, in order, of the given sizes. */
class Pieces {
  readonly length: number
  readonly #sizes: readonly number[]
  constructor(sizes: readonly number[]) {
    this.#sizes = sizes
    this.length = sizes.length
  }
  get(index: number): { from: number; to: number } {
    const from = this.#sizes.slice(0, index).reduce((sum, size) => sum + size, 0)
    return { from, to: from + (this.#sizes[index] ?? 0) }
  }
}

const settings = () => ({ lr: 1e-2, clipGradNorm: 0.3 })

function network() {
  seed(7)
  return new Sequential(new Linear(6, 8), new Tanh(), new Linear(8, 4))
}

interface Cut {
  readonly sizes: readonly number[]
  readonly window: number
  /** What each update is made of, if they were whole batches. */
  readonly batches: readonly number[]
  readonly scaler?: GradScalerOptions
}

const cuts: Readonly<Record<string, Cut>> = {
  'a window of equal micro-batches': { sizes: [4, 4, 4, 4, 4, 4], window: 3, batches: [12, 12] },
  'a window of micro-batches of other sizes': { sizes: [1, 7, 4, 2, 2, 8], window: 3, batches: [12, 12] },
  'a window that an epoch leaves open': { sizes: [5, 3, 2, 7, 4, 3], window: 4, batches: [17, 7] },
  'a window with micro-batches without samples': { sizes: [0, 12, 0, 12], window: 2, batches: [12, 12] },
  'a gradient scaler': { sizes: [1, 7, 4, 2, 10], window: 3, batches: [12, 12], scaler: { initScale: 1024 } },
}

for (const [name, { sizes, window, batches, scaler }] of Object.entries(cuts)) {
  test(`${name} trains as whole batches do`, async (t) => {
    const whole = network()
    const opt = adamW(settings()).bind(whole)
    for (let epoch = 0, from = 0; epoch < 3; epoch++, from = 0) {
      for (const size of batches) {
        crossEntropy(whole.forward(images.slice([from, from + size])), labels.slice([from, from + size])).backward()
        opt.step()
        opt.zeroGrad()
        from += size
      }
    }

    const module = network()
    const graph = new HyperGraph()
      .add('place', new DatasetNode({ dataset: new Pieces(sizes), collate: ([place = { from: 0, to: 0 }]) => place }))
      .add(
        'net',
        new ModuleNode({
          module,
          optimizers: adamW(settings()),
          forward: (n, { place: { from, to } }) => n.module.forward(images.slice([from, to])),
        }),
      )
      .add(
        'loss',
        new LossNode({
          forward: (_, { net, place: { from, to } }) => ({
            sum: from === to ? net.sum() : crossEntropy(net, labels.slice([from, to]), { reduction: 'sum' }),
            weight: to - from,
          }),
        }),
      )
      .accumulate(window)
    if (scaler !== undefined) graph.gradScaler(scaler)
    await graph.run([train({ epochs: 3 })], { outDir: folder(t) })
    module.parameters().forEach((param, i) => closeTo(t, param, whole.parameters()[i]?.dataSync() ?? [], { rtol: 0, atol: 2e-6 }))
  })
}

/** A graph of losses, each with a weight or as a mean. */
function losses(...weights: (number | null)[]) {
  const graph = new HyperGraph().add(
    'net',
    new ModuleNode({ module: new Linear(1, 1), optimizers: adamW({ lr: 0.1 }), forward: (n) => n.module.forward(tensor([[2]])) }),
  )
  for (const [i, weight] of weights.entries()) {
    const forward = (_: unknown, x: { net: Tensor }) => (weight === null ? x.net.sum() : { sum: x.net.sum(), weight })
    graph.add(`loss${i}`, new LossNode({ forward }))
  }
  return graph
}

test('the mean over the epoch is of samples, and readers get what the loss returned', async (t) => {
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module: new Linear(1, 1), optimizers: adamW({ lr: 0 }), forward: (n) => n.module.weight.sum().mul(0) }))
    .add(
      'loss',
      new LossNode({ forward: (n, x) => ({ sum: x.net.add(n.globalTrainSteps === 1 ? 6 : 4), weight: n.globalTrainSteps === 1 ? 1 : 4 }) }),
    )
  const { metrics } = await graph.run([train({ steps: 2, simulateEpoch: true })], { outDir: folder(t) })
  t.is(metrics.train['loss'], 2)
  const { loss } = await graph.step()
  t.is(loss.weight, 1)
  t.is(loss.sum.itemSync(), 6)
})

test('losses that have no one divisor are refused by name', async (t) => {
  await t.notThrowsAsync(losses(3, 3).step())
  await t.throwsAsync(losses(3, 4).step(), {
    code: 'argument',
    message: /'loss0' is a sum of weight 3, 'loss1' is a sum of weight 4; the losses of an iteration/,
  })
  await t.throwsAsync(losses(3, null).step(), { code: 'argument', message: /'loss0' is a sum of weight 3, 'loss1' is a mean/ })
})
