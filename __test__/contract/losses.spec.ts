// Losses: one backward for the weighted sum of all of them, read late; sums with a weight; shares found by descent.
import test from 'ava'
import { HyperGraph, LossNode, memory, ModuleNode, nn, optim, task, tensor, Tensor, train } from '../../ts/index.ts'
import { closeTo } from '../helpers.ts'
import { folder, noteReads, Weights } from '../graph/toys.ts'

/** Plain descent at rate 1 on losses that the callback adds. */
function descent(accumulate = 1) {
  const module = new Weights()
  const optimizers = optim.sgd({ lr: 1, accumulate })
  const graph = new HyperGraph().add('net', new ModuleNode({ module, optimizers, forward: (n) => n.module.a.add(0) }))
  return { module, graph }
}

test.serial('one backward for the weighted sum of all losses', async (t) => {
  const { backward } = Tensor.prototype
  let calls = 0
  Tensor.prototype.backward = function (...args) {
    calls++
    backward.apply(this, args)
  }
  t.teardown(() => void (Tensor.prototype.backward = backward))
  const { graph, module } = descent()
  graph
    .add('one', new LossNode({ weight: 0.25, forward: (_, x) => x.net.sum() }))
    .add('two', new LossNode({ weight: 0.5, forward: (_, x) => x.net.mul(2).sum() }))
  await graph.step()
  t.deepEqual([calls, module.a.itemSync()], [1, 1 - 0.25 - 1])
})

test.serial('logging a loss reads nothing from the device within an iteration; the mean is without the weight', async (t) => {
  const { graph } = descent()
  graph.add('loss', new LossNode({ weight: 3, forward: (n, x) => x.net.mul(0).add(n.globalTrainSteps).sum() }))
  let reads = 0
  let within = false
  t.teardown(noteReads(() => void (reads += within ? 1 : 0)))
  graph.events.on('iterationStart', () => void (within = true))
  graph.events.on('iterationEnd', () => void (within = false))
  const { metrics } = await graph.run([task({ train: true, steps: 4, simulateEpoch: true })], { outDir: folder(t) })
  t.deepEqual([metrics.train['loss'], reads], [2.5, 0])
})

for (const scaled of [false, true]) {
  test(`a window divides sums by their total weight, a partial one by its own${scaled ? ', under a scaler' : ''}`, async (t) => {
    const { graph, module } = descent(2)
    graph.add('loss', new LossNode({ forward: (n, x) => ({ sum: x.net.mul(n.globalTrainSteps).sum(), weight: 2 ** n.globalTrainSteps }) }))
    if (scaled) graph.gradScaler({ initScale: 16 })
    await graph.run([train({ steps: 3 })], { outDir: folder(t) })
    closeTo(t, module.a, [1 - (1 + 2) / (2 + 4) - 3 / 8])
  })
}

test('losses that have no one divisor are refused, with their names', async (t) => {
  const { graph } = descent()
  graph
    .add('mean', new LossNode({ forward: (_, x) => x.net.sum() }))
    .add('sum', new LossNode({ forward: (_, x) => ({ sum: x.net.sum(), weight: 2 }) }))
  await t.throwsAsync(graph.step(), { code: 'argument', message: /'mean' is a mean, 'sum' is a sum of weight 2/ })
})

// Gradients of half the squared distance from r = 0 to the minimum c are -c; along one axis the shares of c = 1 and c = -2 are 2/3 and 1/3.
for (const variant of ['plain', 'accumulated', 'scaled', 'autocast'] as const) {
  test(`mode 'mgda': two quadratic losses have the shares of the closed form, ${variant}`, async (t) => {
    const module = new nn.Linear(1, 1, { bias: false })
    module.loadStateDict({ weight: tensor([[0]]) })
    const optimizers = optim.sgd({ lr: 1, accumulate: variant === 'accumulated' ? 2 : 1 })
    const mgda = { mode: 'mgda', shared: 'encoder' } as const
    const graph = new HyperGraph()
      .add('encoder', new ModuleNode({ module, optimizers, forward: (n) => n.module.forward(tensor([[1]])) }))
      .add('near', new LossNode({ ...mgda, forward: (_, x) => x.encoder.float().sub(1).square().sum().mul(0.5) }))
      .add('far', new LossNode({ ...mgda, forward: (_, x) => x.encoder.float().add(2).square().sum().mul(0.5) }))
    if (variant === 'scaled') graph.gradScaler({ initScale: 1024 })
    if (variant === 'autocast') graph.autocast({ dtype: 'bfloat16' })
    const { metrics } = await graph.run([task({ train: true, steps: 2, simulateEpoch: true })], { outDir: folder(t) })
    closeTo(t, [Number(metrics.train['near/share']), Number(metrics.train['far/share'])], [2 / 3, 1 / 3])
    closeTo(t, module.weight, [0], { rtol: 0, atol: 1e-6 })
  })
}

test.serial('nothing leaks over 2,000 iterations of shared losses in windows', async (t) => {
  const { graph } = descent(2)
  const mgda = { mode: 'mgda', shared: 'net' } as const
  graph
    .add('one', new LossNode({ ...mgda, forward: (_, x) => ({ sum: x.net.sub(1).square().sum(), weight: 3 }) }))
    .add('two', new LossNode({ ...mgda, forward: (_, x) => ({ sum: x.net.add(2).square().sum(), weight: 3 }) }))
  const outDir = folder(t)
  const round = [task({ train: true, steps: 500, simulateEpoch: true })]
  await graph.run(round, { outDir })
  const { handles, bytes } = memory()
  for (let i = 0; i < 4; i++) await graph.run(round, { outDir })
  t.deepEqual([memory().handles, memory().bytes], [handles, bytes])
})
