// A module as a node: what of it trains in which task, who says so, and what is saved of it.
import test, { type ExecutionContext } from 'ava'
import {
  DatasetNode,
  evaluate,
  F,
  HyperGraph,
  isGradEnabled,
  LossNode,
  memory,
  ModuleNode,
  nn,
  ones,
  optim,
  train,
  tensor,
  type Tensor,
} from '../../ts/index.ts'
import { closeTo } from '../helpers.ts'
import { folder, numbers, Weights } from '../graph/toys.ts'

/** What is warned of while the test runs. */
function warnings(t: ExecutionContext): unknown[] {
  const seen: unknown[] = []
  const { warn } = console
  console.warn = (message: unknown) => void seen.push(message)
  t.teardown(() => void (console.warn = warn))
  return seen
}

const loss = () => new LossNode({ forward: (_, x: { net: Tensor }) => x.net.square().mean() })

class Pair extends nn.Module {
  readonly body = new nn.Linear(2, 2)
  readonly head = new nn.Linear(2, 1)
  forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x).tanh())
  }
}

const flags = (module: nn.Module) =>
  module
    .namedParameters()
    .filter(([, { requiresGrad }]) => requiresGrad)
    .map(([name]) => name)

test('nodes under other tags share a module: each task trains its own set at its own rate, in any order, and the other moments wait', async (t) => {
  const module = new Weights()
  const forward = (n: { module: Weights }) => n.module.a.add(n.module.b)
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, forward, optimizers: { '^a': optim.sgd({ lr: 0.25, momentum: 0.5 }) } }), { tags: 'a' })
    .add('net', new ModuleNode({ module, forward, optimizers: { '^b': optim.sgd({ lr: 0.5, momentum: 0.5 }) } }), { tags: 'b' })
    .add('net', new ModuleNode({ module, forward, optimizers: { '.*': optim.sgd({ lr: 0 }) } }), { tags: 'both' })
    .add('loss', new LossNode({ forward: (_, x) => x.net.sum() }))
  const seen: unknown[] = []
  graph.events.on('iterationEnd', () => void seen.push([flags(module).join(), module.a.itemSync(), module.b.itemSync()]))
  await graph.run(
    ['a', 'b', 'a', 'both'].map((tags) => train({ steps: 1, tags })),
    { outDir: folder(t) },
  )
  // Every gradient is 1, so the second step of a is (1 + 0.5) * 0.25.
  t.deepEqual(seen, [
    ['a', 0.75, 1],
    ['b', 0.75, 0.5],
    ['a', 0.375, 0.5],
    ['a,b', 0.375, 0.5],
  ])
})

test('a parameter that two nodes would train in one task is an error that names both; under other tags it is none', async (t) => {
  const module = new Weights()
  const node = (pattern: string) =>
    new ModuleNode({ module, optimizers: { [pattern]: optim.sgd({ lr: 1 }) }, forward: (n) => n.module.forward() })
  const graph = new HyperGraph()
    .add('one', node('a'))
    .add('two', node('.*'), { tags: 'both' })
    .add('loss', new LossNode({ forward: (_, x) => x.one }))
  await t.throwsAsync(graph.step({ tags: 'both' }), {
    code: 'graph',
    message: /node 'one' in prepare .*nodes 'one' and 'two' train the same parameter; one optimizer may, in one task/,
  })
  await t.notThrowsAsync(graph.step({ tags: 'other' }))
  await t.notThrowsAsync(graph.step({ tags: 'both', train: false }))
})

test('gradients of what does not train are dropped when a task begins; evaluation needs none at all', async (t) => {
  const module = new Pair()
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, forward: (n) => n.module.forward(ones([1, 2])), optimizers: { head: optim.sgd({ lr: 0.1 }) } }))
    .add('loss', loss())
  module.unfreeze()
  for (const parameter of module.parameters()) parameter.grad = parameter.detach()
  await graph.step()
  t.deepEqual(flags(module), ['head.weight', 'head.bias'])
  t.true(module.body.parameters().every(({ grad }) => grad === null))
  await graph.step({ train: false })
  t.deepEqual(flags(module), [])
})

test('a pattern is a regular expression that matches a name from its beginning on; what none matches stays frozen', (t) => {
  const trained = (...patterns: string[]) => {
    const optimizers = Object.fromEntries(patterns.map((pattern) => [pattern, optim.sgd()]))
    const node = new ModuleNode({ module: new Pair(), optimizers, forward: () => 0 })
    return node.module
      .namedParameters()
      .filter(([, parameter]) => node.trainable.has(parameter))
      .map(([name]) => name)
      .join(' ')
  }
  t.is(trained('head'), 'head.weight head.bias')
  t.is(trained('.*bias'), 'body.bias head.bias')
  t.is(trained('head|body\\.weight'), 'body.weight head.weight head.bias')
  t.is(trained('^body', '^head.bias$'), 'body.weight body.bias head.bias')
  t.is(trained(), '')
})

test.serial('a pattern that matches nothing warns with the nearest names, and the others train', (t) => {
  const seen = warnings(t)
  const make = (pattern: string) => new ModuleNode({ module: new Pair(), optimizers: { [pattern]: optim.sgd() }, forward: () => 0 })
  make('^haed.weight')
  make('^decoder')
  t.deepEqual(seen, [
    "optimizers: pattern '^haed.weight' matches no parameter; did you mean 'head.weight'?",
    "optimizers: pattern '^decoder' matches no parameter; there are body.weight, body.bias, head.weight, head.bias",
  ])
})

test('a parameter that two patterns match is an error that names all three', (t) => {
  t.throws(
    () => new ModuleNode({ module: new Pair(), optimizers: { '^head': optim.sgd(), '.*weight': optim.adamW() }, forward: () => 0 }),
    {
      code: 'argument',
      message: /parameter 'head.weight' matches '\^head' and '\.\*weight'; one optimizer may train it/,
    },
  )
})

test('a table of what trains: pattern, tensors, numbers, rule, rate and decay of each group', async (t) => {
  const printed: string[] = []
  const graph = new HyperGraph()
    .add(
      'net',
      new ModuleNode({
        module: new Pair(),
        forward: (n) => n.module.forward(ones([1, 2])),
        optimizers: {
          '^body': optim.adamW({ lr: 1e-3, weightDecay: 0.05 }),
          '^head': optim.sgd({ lr: optim.cosine({ from: 0.1, steps: 10 }), momentum: 0.9 }),
        },
      }),
    )
    .add('loss', loss())
  graph.events.on('optimizers', ({ optimizers }) => void printed.push(optim.groupTable(optimizers)))
  await graph.step({ steps: 2 })
  t.is(printed.length, 1)
  const [head = '', body = '', fc = ''] = (printed[0] ?? '').split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))
  t.is(head.trim(), 'pattern | tensors | numbers | rule | lr | decay | options | parameters')
  t.regex(body, /^\^body \| 2 \| 6 \| adamW \| 0\.001 \| 0\.05 \| - \| body\.weight, body\.bias$/)
  t.regex(fc, /^\^head \| 2 \| 3 \| sgd \| cosine.*0\.1.* \| 0 \| momentum: 0\.9 \| head\.weight, head\.bias$/)
})

test('frozen parts keep no graph: their outputs need no gradient, and with every pattern they do', async (t) => {
  const held: number[] = []
  for (const optimizers of [{ head: optim.sgd({ lr: 0.1 }) }, optim.sgd({ lr: 0.1 })]) {
    const module = new Pair()
    let inner: Tensor | null = null
    const forward = (n: { module: Pair }) => {
      inner = n.module.body.forward(ones([1, 2]))
      for (let i = 0; i < 20; i++) inner = inner.tanh().add(1)
      return n.module.head.forward(inner)
    }
    const needs: unknown[] = []
    const graph = new HyperGraph()
      .add('net', new ModuleNode({ module, forward, optimizers, update: () => void needs.push(inner?.requiresGrad) }))
      .add('loss', loss())
    await graph.step()
    held.push(Number(needs[0]))
  }
  t.deepEqual(held, [0, 1])
})

test('weightInit sets the first values before anything trains, without gradients', async (t) => {
  const module = new Weights()
  const seen: unknown[] = []
  const weightInit = (given: Weights) => {
    seen.push(given === module, isGradEnabled())
    given.a.assign(tensor([5]))
  }
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, weightInit, optimizers: { a: optim.sgd({ lr: 1 }) }, forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  t.deepEqual([seen, module.a.itemSync()], [[true, false], 5])
  await graph.step({ steps: 2 })
  t.deepEqual([seen.length, module.a.itemSync()], [2, 3])
})

test('clip, schedule and window are counted by optimizer', async (t) => {
  const module = new Weights()
  const rate = () => optim.linear({ from: 1, to: 0, steps: 4 })
  const optimizers = { a: optim.sgd({ lr: rate(), clipGradNorm: 0.5 }), b: optim.sgd({ lr: rate(), accumulate: 2 }) }
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, optimizers, forward: (n) => n.module.a.add(n.module.b.mul(2)).sum() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  const seen: { a: number[]; b: number[] } = { a: [], b: [] }
  graph.events.on('iterationEnd', () => {
    seen.a.push(module.a.itemSync())
    seen.b.push(module.b.itemSync())
  })
  await graph.step({ steps: 4 })
  // A gradient of 1, clipped to 0.5, at the rates 1, 0.75, 0.5, 0.25.
  closeTo(t, seen.a, [0.5, 0.125, -0.125, -0.25], { rtol: 0, atol: 1e-5 })
  // A gradient of 2, not clipped, at every second iteration, at the rates 1 and 0.75.
  closeTo(t, seen.b, [1, -1, -1, -2.5])
})

test('batch norm and dropout follow the task: batch statistics in training, running ones in evaluation', async (t) => {
  const norm = new nn.BatchNorm2d(1)
  const module = new nn.Sequential(norm, new nn.Dropout(0.5))
  const x = tensor([0, 2, 4, 6]).reshape([4, 1, 1, 1])
  const graph = new HyperGraph().add('net', new ModuleNode({ module, forward: (n) => n.module.forward(x) }))
  const statistics = () => [norm.training, norm.numBatchesTracked?.itemSync(), norm.runningMean?.itemSync().toFixed(4)]
  const first = (await graph.step()).net.dataSync()
  t.true(first.includes(0), 'dropout is on')
  t.deepEqual(statistics(), [true, 1, '0.3000'])
  const second = (await graph.step({ train: false })).net.dataSync()
  const third = (await graph.step({ train: false })).net.dataSync()
  t.deepEqual(second, third, 'dropout is off')
  t.deepEqual(statistics(), [false, 1, '0.3000'])
})

test('forward runs under autocast where the graph says so; parameters and their gradients stay float32', async (t) => {
  const module = new Pair()
  const seen: string[] = []
  const graph = new HyperGraph()
    .add(
      'net',
      new ModuleNode({ module, forward: (n) => n.module.forward(ones([1, 2])), optimizers: optim.sgd({ lr: 0.1, accumulate: 9 }) }),
    )
    .add('loss', loss())
    .autocast({ dtype: 'bfloat16' })
  const { net } = await graph.step()
  for (const parameter of module.parameters()) seen.push(parameter.dtype, parameter.grad?.dtype ?? 'none')
  t.is(String(net.dtype), 'bfloat16')
  t.deepEqual([...new Set(seen)], ['float32'])
})

test('state: module, and optimizers by pattern and parameter name', async (t) => {
  const graph = new HyperGraph()
    .add(
      'net',
      new ModuleNode({
        module: new Pair(),
        forward: (n) => n.module.forward(ones([1, 2])),
        optimizers: { '^body': optim.adamW({ lr: 0.1 }), '^head': optim.sgd({ lr: 0.1, momentum: 0.9 }) },
      }),
    )
    .add('loss', loss())
  await graph.step({ steps: 2 })
  const state = Object(await graph.get('net').stateDict())
  t.deepEqual(Object.keys(state), ['module', 'optimizers'])
  t.deepEqual(Object.keys(state.module), ['body.weight', 'body.bias', 'head.weight', 'head.bias'])
  t.like(state.optimizers, { '^body': { rule: 'adamW', steps: 2 }, '^head': { rule: 'sgd', steps: 2 } })
  t.deepEqual(Object.keys(state.optimizers['^body'].state), ['body.weight', 'body.bias'])
  t.deepEqual(Object.keys(state.optimizers['^head'].state['head.bias']), ['step', 'momentum_buffer'])
})

test('moments of a pattern that is not at work are kept, through a checkpoint of a stage without it, for the stage that has it again', async (t) => {
  const outDir = folder(t)
  const optimizer = { '^a': optim.adamW({ lr: 0.1 }) }
  const stage = (optimizers: Record<string, optim.Optimizer>) =>
    new HyperGraph()
      .add('net', new ModuleNode({ module: new Weights(), optimizers, forward: (n) => n.module.a.mul(3).add(n.module.b).sum() }))
      .add('loss', new LossNode({ forward: (_, x) => x.net }))
  const whole = stage(optimizer)
  await whole.run([train({ steps: 4 })], { outDir })
  const path = await whole.saveCheckpoint({ to: `${outDir}/first.safetensors` })

  const between = stage({ '^b': optim.adamW({ lr: 0.1 }) })
  await between.loadCheckpoint(path)
  await between.run([train({ steps: 3 })], { outDir })
  const second = await between.saveCheckpoint({ to: `${outDir}/second.safetensors` })
  t.like(await between.get('net').stateDict(), { optimizers: { '^a': { steps: 4 }, '^b': { steps: 3 } } })

  const later = stage(optimizer)
  await later.loadCheckpoint(second)
  await later.run([train({ steps: 1 })], { outDir })
  await whole.run([train({ steps: 1 })], { outDir })
  const moments = async (graph: typeof whole) => Object(await graph.get('net').stateDict()).optimizers['^a']
  t.is((await moments(later)).steps, 5)
  t.deepEqual((await moments(later)).state.a.exp_avg.dataSync(), (await moments(whole)).state.a.exp_avg.dataSync())
})

test('loading: a strict load throws with every difference and changes nothing; another gives them as data and takes what fits', (t) => {
  const node = new ModuleNode({ module: new Pair(), forward: () => 0 })
  const before = node.module.head.weight.dataSync()
  const state = {
    module: { 'body.weight': ones([3, 2]), 'head.weight': ones([1, 2]), 'haed.bias': ones([1]) },
    optimizers: {},
  }
  const differences = ['missing: body.bias', 'missing: head.bias', 'unexpected: haed.bias', 'mismatched: body.weight']
  const error = t.throws(() => node.loadStateDict(state, true))
  for (const line of differences) t.true(error?.message.includes(line), `${line} in ${error?.message}`)
  t.deepEqual(node.module.head.weight.dataSync(), before)
  t.deepEqual(node.loadStateDict(state, false), differences)
  t.deepEqual(Array.from(node.module.head.weight.dataSync()), [1, 1])
})

test.serial(
  'options for several processes: kept with the defaults of PyTorch, checked, and warned of once while there is one process',
  async (t) => {
    const seen = warnings(t)
    const make = (options: object) => new ModuleNode({ module: new Weights(), forward: (n) => n.module.forward(), ...options })
    t.deepEqual(make({}).distributed, {
      syncBatchNorm: false,
      findUnusedParameters: false,
      staticGraph: false,
      broadcastBuffers: true,
      bucketCapMb: 25,
      gradientAsBucketView: false,
    })
    t.throws(() => make({ bucketCapMb: 0 }), { code: 'argument', message: 'ModuleNode: bucketCapMb must be a number > 0, got 0' })
    t.throws(() => make({ staticGraph: 1 }), { code: 'argument', message: 'ModuleNode: staticGraph must be true or false, got 1' })
    const usual = new HyperGraph().add('net', make({ broadcastBuffers: true, bucketCapMb: 25 }))
    await usual.step()
    t.deepEqual(seen, [])
    const graph = new HyperGraph().add('net', make({ syncBatchNorm: true, bucketCapMb: 50 }))
    await graph.step()
    await graph.step({ train: false })
    t.deepEqual(seen, [
      "node 'net': syncBatchNorm: true, bucketCapMb: 50: this waits for training over several processes; in one process it changes nothing",
    ])
    t.regex(graph.explain(), /net: ModuleNode, .*; waits for several processes: syncBatchNorm: true, bucketCapMb: 50/)
  },
)

test.serial('nothing leaks over 2,000 iterations of shared modules, two optimizers and windows', async (t) => {
  const module = new Pair()
  const forward = (n: { module: Pair }, x: { data: { x: Tensor } }) => n.module.forward(x.data.x.expand([-1, 2]))
  const optimizers = {
    body: optim.adamW({ lr: 1e-3, accumulate: 3, clipGradNorm: 1 }),
    head: optim.sgd({ lr: 1e-3, momentum: 0.9 }),
  }
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(20), batchSize: 2, shuffle: true }))
    .add('net', new ModuleNode({ module, forward, optimizers }), { tags: 'all' })
    .add('net', new ModuleNode({ module, forward, optimizers: { head: optim.sgd({ lr: 1e-3 }) } }), { tags: 'head' })
    .add('loss', new LossNode({ forward: (_, x) => F.mseLoss(x.net.flatten(0), x.data.y.float()) }))
    .gradScaler()
  const round = [train({ epochs: 40, tags: 'all' }), evaluate({ epochs: 5, tags: 'all' }), train({ epochs: 5, tags: 'head' })]
  const outDir = folder(t)
  await graph.run(round, { outDir })
  const { handles, bytes } = memory()
  for (let i = 0; i < 4; i++) await graph.run(round, { outDir })
  t.deepEqual([memory().handles, memory().bytes], [handles, bytes])
})
