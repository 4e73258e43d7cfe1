import test from 'ava'
import { DatasetNode, LossNode, ModuleNode, Node, StopTask } from '../../ts/graph/index.ts'
import { Dropout, Linear, Module } from '../../ts/nn/index.ts'
import { adamW, type Optimizer, sgd, type UpdaterContext } from '../../ts/optim/index.ts'
import { evaluate, HyperGraph, train } from '../../ts/run/index.ts'
import { tensor } from '../../ts/tensor/index.ts'
import { folder, numbers, Weights } from './toys.ts'

/** A graph whose loss has the gradient `pull(i)` for the weight `a` in iteration i, and the same for `b`. */
function pulling(module: Weights, optimizers: Optimizer | Record<string, Optimizer>, pull: (i: number) => number = () => 1) {
  return new HyperGraph()
    .add('net', new ModuleNode({ module, optimizers, forward: (n) => n.module.a.add(n.module.b) }))
    .add('loss', new LossNode({ forward: (n, x) => x.net.sum().mul(pull(n.globalTrainSteps - 1)) }))
}

/** What `read` says after each iteration. */
async function trace<T>(graph: { step(): Promise<unknown> }, steps: number, read: () => T): Promise<T[]> {
  const seen: T[] = []
  for (let i = 0; i < steps; i++) {
    await graph.step()
    seen.push(read())
  }
  return seen
}

class Outer extends Module {
  readonly inner = new Weights()
  forward(): void {}
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4

test('parameters start frozen; what a pattern matches from its beginning on trains', async (t) => {
  const module = new Weights()
  const graph = new HyperGraph().add(
    'net',
    new ModuleNode({ module, optimizers: { a: sgd({ lr: 1 }) }, forward: (n) => n.module.forward() }),
  )
  t.false(module.a.requiresGrad)
  await graph.step({ train: true })
  t.deepEqual([module.a.requiresGrad, module.b.requiresGrad], [true, false])
})

test('without optimizers nothing trains', async (t) => {
  const module = new Weights()
  const graph = new HyperGraph().add('net', new ModuleNode({ module, forward: (n) => n.module.forward() }))
  const { net } = await graph.step()
  t.false(net.requiresGrad)
})

test('a parameter that two patterns match is an error', (t) => {
  t.throws(() => new ModuleNode({ module: new Weights(), optimizers: { a: sgd(), '[ab]': sgd() }, forward: () => 0 }), {
    code: 'argument',
    message: /parameter 'a' matches 'a' and '\[ab\]'/,
  })
  t.throws(() => new ModuleNode({ module: new Weights(), optimizers: { '(': sgd() }, forward: () => 0 }), {
    code: 'argument',
    message: /'\(' is not a regular expression/,
  })
})

test.serial('a pattern that matches nothing warns with the nearest name', (t) => {
  const warnings: unknown[] = []
  const warn = console.warn
  console.warn = (message: unknown) => void warnings.push(message)
  t.teardown(() => void (console.warn = warn))
  const node = new ModuleNode({ module: new Linear(2, 2), optimizers: { '^wieght': sgd() }, forward: () => 0 })
  t.deepEqual([...node.trainable], [])
  t.deepEqual(warnings, ["optimizers: pattern '^wieght' matches no parameter; did you mean 'weight'?"])
})

test('weightInit sets values without gradients', (t) => {
  const module = new Weights()
  const node = new ModuleNode({ module, weightInit: ({ a }) => void a.assign(tensor([7])), forward: () => 0 })
  t.is(node.module.a.itemSync(), 7)
})

test('B2: the first window is a full one, and a window steps by the mean of its gradients', async (t) => {
  const module = new Weights()
  const graph = pulling(module, { a: sgd({ lr: 0.1, accumulate: 2 }) }, (i) => i)
  t.deepEqual(await trace(graph, 6, () => round(module.a.itemSync())), [1, 0.95, 0.95, 0.7, 0.7, 0.25])
})

test('B2: the window of the graph holds for optimizers that have none of their own', async (t) => {
  const module = new Weights()
  const graph = pulling(module, { a: sgd({ lr: 0.1 }), b: sgd({ lr: 0.1, accumulate: 1 }) }).accumulate(3)
  const seen: unknown[] = []
  graph.events.on('iterationEnd', () => void seen.push([round(module.a.itemSync()), round(module.b.itemSync())]))
  await graph.step({ steps: 1 })
  t.deepEqual(seen, [
    [1, 0.9],
    [1, 0.8],
    [0.9, 0.7],
  ])
})

test('B3: windows are counted by optimizer; two with a window of 2 each step every second iteration', async (t) => {
  const module = new Weights()
  const graph = pulling(module, { a: sgd({ lr: 0.1, accumulate: 2 }), b: sgd({ lr: 0.1, accumulate: 2 }) })
  t.deepEqual(await trace(graph, 4, () => [round(module.a.itemSync()), round(module.b.itemSync())]), [
    [1, 1],
    [0.9, 0.9],
    [0.9, 0.9],
    [0.8, 0.8],
  ])
})

test('accumulated windows equal the big batch', async (t) => {
  const outDir = folder(t)
  const results = await Promise.all(
    [
      [2, 4],
      [8, 1],
    ].map(async ([batchSize = 1, window = 1]) => {
      const module = new Linear(1, 1)
      module.weight.update(() => tensor([[0.5]]))
      module.bias?.update(() => tensor([0]))
      const graph = new HyperGraph()
        .add('data', new DatasetNode({ dataset: numbers(8), batchSize }))
        .add('net', new ModuleNode({ module, optimizers: adamW({ lr: 0.1 }), forward: (n, x) => n.module.forward(x.data.x) }))
        .add(
          'loss',
          new LossNode({
            forward: (_, x) =>
              x.net
                .sub(x.data.y.to('float32').reshape([-1, 1]))
                .square()
                .mean(),
          }),
        )
      await graph.accumulate(window).run([train({ epochs: 3 })], { outDir })
      return [module.weight.itemSync(), module.bias?.itemSync() ?? 0]
    }),
  )
  const [small, big] = results
  for (const [i, value] of (small ?? []).entries()) t.true(Math.abs(value - (big?.[i] ?? NaN)) < 1e-6)
})

test('a partial window is closed with its own divisor at the end of an epoch, and leaks nowhere', async (t) => {
  const module = new Weights()
  const steps: number[] = []
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(3) }))
    .add('net', new ModuleNode({ module, optimizers: { a: sgd({ lr: 1, accumulate: 2 }) }, forward: (n, x) => n.module.a.mul(x.data.x) }))
    .add('loss', new LossNode({ forward: (_, x) => x.net.sum() }))
  graph.events.on('epochEnd', () => void steps.push(round(module.a.itemSync())))
  await graph.run([train({ epochs: 2 }), evaluate({ epochs: 1 })], { outDir: folder(t) })
  // Gradients 0 1 | 2: (0 + 1) / 2, then 2 / 1.
  t.deepEqual(steps, [-1.5, -4, -4])
})

test('a partial window is closed at the end of a task of steps, and when a task is stopped', async (t) => {
  const outDir = folder(t)
  const [a, b] = [new Weights(), new Weights()]
  await pulling(a, { a: sgd({ lr: 0.1, accumulate: 2 }) }).run([train({ steps: 3 }), evaluate({ steps: 1 })], { outDir })
  t.is(round(a.a.itemSync()), 0.8)
  const stopped = pulling(b, { a: sgd({ lr: 0.1, accumulate: 5 }) }).add(
    'stop',
    new Node({
      update: (n) => {
        if (n.globalTrainSteps === 3) throw new StopTask()
      },
    }),
  )
  await stopped.run([train({ steps: 10 })], { outDir })
  t.is(round(b.a.itemSync()), 0.9)
})

test('a step in another mode closes the window before it', async (t) => {
  const module = new Weights()
  const graph = pulling(module, { a: sgd({ lr: 0.1, accumulate: 2 }) })
  await graph.step()
  t.is(round(module.a.itemSync()), 1)
  await graph.step({ train: false })
  t.is(round(module.a.itemSync()), 0.9)
})

test('B4: train then evaluate on the same tags switches the module, its gradients and its flags', async (t) => {
  const module = new Dropout(0.5)
  const seen: unknown[] = []
  const weights = new Weights()
  const graph = new HyperGraph()
    .add('drop', new ModuleNode({ module, forward: (n) => void seen.push(n.module.training) }))
    .add('net', new ModuleNode({ module: weights, optimizers: sgd({ lr: 0.1, accumulate: 9 }), forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  await graph.run([train({ steps: 1 }), evaluate({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(seen, [true, false])
  t.deepEqual([weights.a.requiresGrad, weights.a.grad], [false, null])
})

test('nodes under different tags share a module with different trainable sets', async (t) => {
  const module = new Weights()
  const forward = (n: { module: Weights }) => n.module.forward()
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, optimizers: { a: sgd({ lr: 0.1 }) }, forward }), { tags: 'first' })
    .add('net', new ModuleNode({ module, optimizers: { b: sgd({ lr: 0.2 }) }, forward }), { tags: 'second' })
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  const outDir = folder(t)
  await graph.run([train({ steps: 1, tags: 'first' })], { outDir })
  t.deepEqual([round(module.a.itemSync()), module.b.itemSync()], [0.9, 1])
  await graph.run([train({ steps: 1, tags: 'second' })], { outDir })
  t.deepEqual([round(module.a.itemSync()), round(module.b.itemSync())], [0.9, 0.82])
})

test('two nodes of one task that share a module train what either of them claims', async (t) => {
  const module = new Weights()
  const graph = new HyperGraph()
    .add('one', new ModuleNode({ module, optimizers: { a: sgd({ lr: 0.1 }) }, forward: (n) => n.module.forward() }))
    .add('two', new ModuleNode({ module, forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ forward: (_, x) => x.one.add(x.two) }))
  await graph.step()
  t.is(round(module.a.itemSync()), 0.8)
})

test('a parameter that two nodes of one task train is an error; a part of a module may be a node of its own', async (t) => {
  const module = new Outer()
  const graph = new HyperGraph()
    .add('outer', new ModuleNode({ module, optimizers: sgd({ lr: 0.1 }), forward: (n) => n.module.inner.forward() }))
    .add('inner', new ModuleNode({ module: module.inner, forward: (n) => n.module.forward() }), { tags: 'frozen' })
    .add('inner', new ModuleNode({ module: module.inner, optimizers: { a: sgd({ lr: 0.1 }) }, forward: (n) => n.module.forward() }), {
      tags: 'twice',
    })
    .add('loss', new LossNode({ forward: (_, x) => x.outer.add(x.inner) }))
  await graph.step({ tags: 'frozen' })
  t.is(round(module.inner.a.itemSync()), 0.8)
  await t.throwsAsync(graph.step({ tags: 'twice' }), { code: 'graph', message: /nodes 'outer' and 'inner' train the same parameter/ })
})

test('updaters are told the node and where training stands, in updates', async (t) => {
  const seen: Omit<UpdaterContext, 'group'>[] = []
  const optimizer = sgd({ lr: 0.1, accumulate: 2, updaters: [({ group: _, ...context }) => void seen.push(context)] })
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(3) }))
    .add('net', new ModuleNode({ module: new Weights(), optimizers: optimizer, forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  await graph.run([train({ epochs: 2 })], { outDir: folder(t) })
  t.true(seen.every(({ node }) => node === graph.get('net')))
  t.deepEqual(
    seen.map(({ currentEpoch, epochSteps, epochSize, globalSteps }) => [currentEpoch, epochSteps, epochSize, globalSteps]),
    [
      [0, 0, 2, 0],
      [0, 1, 2, 1],
      [1, 0, 2, 2],
      [1, 1, 2, 3],
    ],
  )
})

test('the event `optimizers` hands out what is at work, by pattern', async (t) => {
  const graph = pulling(new Weights(), { a: sgd({ lr: 0.1 }), b: adamW({ lr: 0.2 }) })
  const seen: string[] = []
  graph.events.on(
    'optimizers',
    ({ node, optimizers }) =>
      void seen.push(node, ...Object.entries(optimizers).map(([pattern, { optimizer }]) => `${pattern} ${optimizer.rule}`)),
  )
  await graph.step({ steps: 2 })
  t.deepEqual(seen, ['net', 'a sgd', 'b adamW'])
})

test('state: module and optimizers by pattern and parameter name', async (t) => {
  const graph = pulling(new Weights(), { '^a': adamW({ lr: 0.1 }) })
  await graph.step()
  const state = graph.get('net').stateDict()
  t.like(state, { optimizers: { '^a': { rule: 'adamW', steps: 1 } } })
  t.deepEqual(Object.keys(Object(state).module), ['a', 'b'])
  t.deepEqual(Object.keys(Object(state).optimizers['^a'].state), ['a'])
})

test('B6: a state whose pattern is not here is kept, and handed on when a later stage has it', async (t) => {
  const original = new Weights()
  const first = pulling(original, { '^a': adamW({ lr: 0.1 }) })
  await first.step({ steps: 3 })
  const saved = await first.get('net').stateDict()

  const between = pulling(new Weights(), { '^b': adamW({ lr: 0.1 }) })
  await between.step()
  between.get('net').loadStateDict(saved, true)
  const passedOn = await between.get('net').stateDict()
  t.like(passedOn, { optimizers: { '^a': { steps: 3 }, '^b': { steps: 1 } } })

  const module = new Weights()
  const later = pulling(module, { '^a': adamW({ lr: 0.1 }) })
  later.get('net').loadStateDict(passedOn, true)
  await first.step()
  await later.step()
  t.like(await later.get('net').stateDict(), { optimizers: { '^a': { steps: 4 } } })
  t.is(module.a.itemSync(), original.a.itemSync())
})

test('a strict load lists every difference; another reports them', (t) => {
  const node = new ModuleNode({ module: new Linear(2, 1), forward: () => 0 })
  const state = { module: { weight: tensor([[1, 2, 3]]), other: tensor([1]) }, optimizers: {} }
  t.throws(() => node.loadStateDict(state, true), { message: /missing: bias[\s\S]*unexpected: other[\s\S]*mismatched: weight/ })
  t.deepEqual(node.loadStateDict(state, false), [
    'missing: bias',
    'unexpected: other',
    'mismatched: weight is float32 [1, 2] here, float32 [1, 3] in the state',
  ])
})
