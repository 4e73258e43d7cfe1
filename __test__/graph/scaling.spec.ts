import test from 'ava'
import { LossNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { Linear } from '../../ts/nn/index.ts'
import { sgd } from '../../ts/optim/index.ts'
import { HyperGraph } from '../../ts/run/index.ts'
import { type Tensor, tensor } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'

/** A weight of 1 whose loss is itself times what `gradients` holds for the iteration; each has the gradient of the loss as its own. */
function graphOf(gradients: readonly number[], windows: readonly number[]) {
  const modules = windows.map(() => new Linear(1, 1, { bias: false }))
  for (const module of modules) module.loadStateDict({ weight: tensor([[1]]) })
  let at = 0
  const graph: HyperGraph = new HyperGraph()
  graph.add('x', new Node({ forward: () => tensor([[gradients[at++] ?? 0]]) }))
  for (const [i, module] of modules.entries()) {
    const optimizers = sgd({ lr: 1, accumulate: windows[i] ?? 1 })
    graph.add(`net${i}`, new ModuleNode({ module, forward: (n, x) => n.module.forward(x.get<Tensor>('x')), optimizers }))
    graph.add(`loss${i}`, new LossNode({ forward: (_, x) => x.get<Tensor>(`net${i}`).sum() }))
  }
  const scales: (number | undefined)[] = []
  graph.add('scale', new Node({ forward: (n) => void scales.push(n.gradScaler?.getScale()) }))
  return { graph, scales, weights: () => modules.map((module) => module.weight.itemSync()) }
}

test('losses are scaled, updates unscaled, and the scale moves at the end of each window', async (t) => {
  const { graph, scales, weights } = graphOf([1, Infinity, 1, 1], [1])
  graph.gradScaler({ initScale: 8, growthInterval: 2 })
  await graph.step({ steps: 4 })
  t.deepEqual(scales, [8, 8, 4, 4])
  t.deepEqual(weights(), [-2])
})

test('the scale stays the same within any window; an overflow in between lowers it after', async (t) => {
  const { graph, scales, weights } = graphOf([1, 1, Infinity, 1, 2, 2], [1, 3])
  graph.gradScaler({ initScale: 8 })
  await graph.step({ steps: 6 })
  t.deepEqual(scales, [8, 8, 8, 4, 4, 4])
  closeTo(t, weights(), [1 - 1 - 1 - 1 - 2 - 2, 1 - 5 / 3])
})

test('without a scaler there is none, and a graph can be rid of one', async (t) => {
  const { graph, scales } = graphOf([1, 1], [1])
  graph.gradScaler({ initScale: 2 }).gradScaler(null)
  await graph.step()
  t.deepEqual(scales, [undefined])
  t.throws(() => graph.gradScaler({ initScale: 0 }), { code: 'argument', message: /initScale/ })
})

test('forward runs under autocast, in training and evaluation; backward and update do not', async (t) => {
  const { graph, weights } = graphOf([1.001, 1.001], [1])
  const seen: string[] = []
  graph.add('seen', new Node({ forward: (_, x) => void seen.push(x.get<Tensor>('net0').dtype) }))
  graph.autocast({ dtype: 'bfloat16' })
  await graph.step()
  await graph.step({ train: false })
  t.deepEqual(seen, ['bfloat16', 'bfloat16'])
  // 1.001 is 1 in bfloat16.
  t.deepEqual(weights(), [0])
  t.throws(() => Reflect.apply(graph.autocast, graph, [{ dtype: 'float64' }]), { code: 'dtype' })
})
