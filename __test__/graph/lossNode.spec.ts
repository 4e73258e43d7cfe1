import test from 'ava'
import { LossNode, ModuleNode, Node, StopTask } from '../../ts/graph/index.ts'
import { sgd } from '../../ts/optim/index.ts'
import { HyperGraph, task, train } from '../../ts/run/index.ts'
import { full, ones, Tensor } from '../../ts/tensor/index.ts'
import { folder, Weights } from './toys.ts'

/** Trains `a` by plain descent on losses of the given weights, each of gradient 1. */
function weighted(module: Weights, ...weights: (number | undefined)[]) {
  const graph = new HyperGraph().add(
    'net',
    new ModuleNode({ module, optimizers: { a: sgd({ lr: 0.1 }) }, forward: (n) => n.module.forward() }),
  )
  for (const [i, weight] of weights.entries()) {
    graph.add(`loss${i}`, new LossNode({ ...(weight === undefined ? {} : { weight }), forward: (_, x) => x.net }))
  }
  return graph
}

test('the weighted sum of all losses is differentiated', async (t) => {
  for (const [weights, expected] of [
    [[undefined], 0.9],
    [[2], 0.8],
    [[0.5, 3], 0.65],
    [[1, 1, 1], 0.7],
    [[0], 1],
  ] as const) {
    const module = new Weights()
    await weighted(module, ...weights).step()
    t.true(Math.abs(module.a.itemSync() - expected) < 1e-6, `${weights}: ${module.a.itemSync()}`)
  }
})

test.serial('there is one backward, however many losses', async (t) => {
  const { backward } = Tensor.prototype
  let calls = 0
  Tensor.prototype.backward = function (...args) {
    calls++
    backward.apply(this, args)
  }
  t.teardown(() => void (Tensor.prototype.backward = backward))
  await weighted(new Weights(), 1, 2, 3).step()
  t.is(calls, 1)
})

test('losses of shapes [] and [1] go together', async (t) => {
  const module = new Weights()
  const graph = weighted(module, 1)
  graph.add('other', new LossNode({ forward: (_, x) => x.net.reshape([1]) }))
  await graph.step()
  t.true(Math.abs(module.a.itemSync() - 0.8) < 1e-6)
})

test('B14: an iteration that was given up leaves nothing behind', async (t) => {
  const module = new Weights()
  const graph = weighted(module, 1, 1)
  let stop = true
  graph.add(
    'stop',
    new Node({
      forward: () => {
        if (stop) throw new StopTask()
      },
    }),
  )
  await graph.step()
  t.is(module.a.itemSync(), 1)
  stop = false
  await graph.step()
  t.true(Math.abs(module.a.itemSync() - 0.8) < 1e-6)
})

test('the mean over the epoch is reported, without the weight', async (t) => {
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module: new Weights(), optimizers: sgd({ lr: 0 }), forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ weight: 5, forward: (n, x) => x.net.mul(n.globalTrainSteps) }))
  const { metrics, history } = await graph.run([task({ train: true, steps: 4, simulateEpoch: true })], { outDir: folder(t) })
  t.deepEqual(metrics.train, { loss: 2.5 })
  t.is(history.length, 1)
})

test('what is no tensor of one element is refused', async (t) => {
  const pair = new HyperGraph().add('loss', new LossNode({ forward: () => ones([2]) }))
  await t.throwsAsync(pair.step(), { code: 'shape', message: /the loss is a tensor of shape \[2\], expected a tensor of one element/ })
  for (const weight of [-1, NaN, Infinity]) {
    const sum = new HyperGraph().add('loss', new LossNode({ forward: () => ({ sum: ones([1]), weight }) }))
    await t.throwsAsync(sum.step(), { code: 'argument', message: /the weight of the loss is .*, expected a number from 0 on/ })
  }
  // @ts-expect-error a loss is a tensor or a sum
  const text = new HyperGraph().add('loss', new LossNode({ forward: () => 'large' }))
  await t.throwsAsync(text.step(), { code: 'shape', message: /the loss is string/ })
})

test('a loss that nothing trainable leads to is an error that names the node', async (t) => {
  const graph = new HyperGraph().add('loss', new LossNode({ forward: () => full([], 2) }))
  await t.throwsAsync(graph.run([train({ steps: 1 })], { outDir: folder(t) }), {
    code: 'autograd',
    message: /node 'loss' in backward .*: the losses depend on nothing that trains: give a ModuleNode/,
  })
})
