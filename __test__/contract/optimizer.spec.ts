// Optimizers at work in a graph: values, windows of their own, what updaters are told, what a skipped step leaves alone.
import test from 'ava'
import { HyperGraph, LossNode, ModuleNode, optim, task, tensor, train } from '../../ts/index.ts'
import { closeTo } from '../helpers.ts'
import { folder, Weights } from '../graph/toys.ts'

/** Both weights have the gradient `pull(i)` in iteration i, from 1. */
function pulled(optimizers: Record<string, optim.Optimizer>, pull: (i: number) => number = () => 1) {
  const module = new Weights()
  const node = new ModuleNode({ module, optimizers, forward: (n) => n.module.a.add(n.module.b) })
  const graph = new HyperGraph()
    .add('net', node)
    .add('loss', new LossNode({ forward: (n, x) => x.net.sum().mul(pull(n.globalTrainSteps)) }))
  return { module, node, graph }
}

test('an optimizer is a value; a window is its own, the first is full, a partial one is closed with its own divisor', async (t) => {
  const { graph, module } = pulled({ a: optim.sgd({ lr: 1, accumulate: 2 }), b: optim.sgd({ lr: 1, accumulate: 2 }) }, (i) => i)
  const seen: unknown[] = []
  graph.events.on('iterationEnd', () => void seen.push([module.a.itemSync(), module.b.itemSync()]))
  await graph.run([train({ steps: 3 })], { outDir: folder(t) })
  t.deepEqual(seen, [
    [1, 1],
    [-0.5, -0.5],
    [-0.5, -0.5],
  ])
  closeTo(t, module.a, [-3.5])
  t.true(optim.sgd({ lr: 1 }).equals(optim.sgd({ lr: 1 })))
})

test('updaters are called at each real update with the group, the node and the counters', async (t) => {
  const seen: unknown[] = []
  const updaters: optim.Updater[] = [
    ({ group, node: teller, ...counters }) => {
      seen.push(counters)
      t.is(teller, node)
      t.is(group.initialLr, 0.5)
      group.lr /= 2
    },
  ]
  const { graph, node } = pulled({ a: optim.sgd({ lr: 0.5, accumulate: 2, updaters }) })
  await graph.run([task({ train: true, steps: 5, simulateEpoch: true })], { outDir: folder(t) })
  t.deepEqual(
    seen,
    [0, 1, 2].map((i) => ({ currentEpoch: 0, epochSteps: i, epochSize: null, globalSteps: i })),
  )
})

test('the rate of a group may be read and set while a run goes on', async (t) => {
  const { graph, node, module } = pulled({ a: optim.sgd({ lr: 1 }) })
  graph.events.on('iterationEnd', () => {
    for (const group of node.optimizers.get('a')?.paramGroups ?? []) group.lr /= 2
  })
  await graph.run([train({ steps: 3 })], { outDir: folder(t) })
  closeTo(t, module.a, [1 - 1 - 0.5 - 0.25])
})

test('a step that is skipped for an infinity advances neither schedule nor bias correction', async (t) => {
  const run = async (gradients: readonly number[]) => {
    const optimizer = optim.adamW({ lr: optim.linear({ from: 0.1, to: 0, steps: 10 }) })
    const { graph, node, module } = pulled({ a: optimizer }, (i) => gradients[i - 1] ?? 0)
    await graph.gradScaler({ initScale: 4 }).run([train({ steps: gradients.length })], { outDir: folder(t) })
    const bound = node.optimizers.get('a')
    return [module.a.itemSync(), bound?.steps, bound?.paramGroups[0]?.lr]
  }
  t.deepEqual(await run([1, Infinity, 2, Infinity, 3]), await run([1, 2, 3]))
})

test('update takes the arguments of the seed and acts at the end of a window', (t) => {
  const w = tensor([1], { requiresGrad: true })
  const bound = optim.sgd({ lr: 1 }).bind([w])
  const context = { gradAccSteps: 2, currentEpoch: 0, epochSteps: 0, globalSteps: 0, epochSize: 4 }
  const kinds = [1, 3].map((gradient) => {
    w.mul(gradient).sum().backward()
    return bound.update(context).kind
  })
  t.deepEqual([kinds, w.itemSync(), w.grad], [['accumulating', 'stepped'], -1, null])
})

test('shard says what it will be and is refused, on an optimizer and on a group; a state is that of rank 0', (t) => {
  const message = /shard: true is to split the optimizer's state over processes \(ZeRO, stage 1\)/
  t.throws(() => optim.sgd({ shard: true }), { code: 'argument', message })
  const w = tensor([1], { requiresGrad: true })
  const bound = optim.sgd({ lr: 1 }).bind([w])
  t.throws(() => bound.addGroup({ params: [tensor([2])], shard: true }), { code: 'argument', message })
  t.deepEqual(bound.stateDict({ rank: 0 }), bound.stateDict())
  t.throws(() => bound.stateDict({ rank: 1 }), { code: 'argument', message: /rank 1, expected 0: there is one process/ })
})
