// The model of execution: tags select nodes, an iteration applies phases, outputs are asked for and kept.
import test from 'ava'
import {
  DatasetNode,
  evaluate,
  HyperGraph,
  LossNode,
  ModuleNode,
  nn,
  Node,
  optim,
  repeat,
  task,
  type TaskLike,
  Tensor,
  tensor,
  train,
} from '../../ts/index.ts'
import type { CacheAccess } from '../../ts/graph/index.ts'
import { folder, hooks, logged, numbers } from '../graph/toys.ts'

const iteration = {
  train: ['A.forward', 'B.forward', 'A.backward', 'B.backward', 'A.update', 'B.update'],
  eval: ['A.forward', 'B.forward', 'A.update', 'B.update'],
}
const both = (event: string) => [`A.${event}`, `B.${event}`]
const times = (n: number, log: readonly string[]) => Array.from({ length: n }, () => log).flat()

// Two samples make an epoch of two iterations.
const orders: Record<string, { tasks: TaskLike[]; log: string[] }> = {
  'train in step mode': { tasks: [train({ steps: 2 })], log: [...both('prepare'), ...times(2, iteration.train), ...both('cleanUp')] },
  'evaluate in step mode': { tasks: [evaluate({ steps: 2 })], log: [...both('prepare'), ...times(2, iteration.eval), ...both('cleanUp')] },
  'train in epoch mode': {
    tasks: [train({ epochs: 2 })],
    log: [...both('prepare'), ...times(2, [...both('epochStart'), ...times(2, iteration.train), ...both('epochEnd')]), ...both('cleanUp')],
  },
  'evaluate in epoch mode': {
    tasks: [evaluate({ epochs: 1 })],
    log: [...both('prepare'), ...both('epochStart'), ...times(2, iteration.eval), ...both('epochEnd'), ...both('cleanUp')],
  },
  'train with simulateEpoch: one epoch around all steps': {
    tasks: [task({ train: true, steps: 3, simulateEpoch: true })],
    log: [...both('prepare'), ...both('epochStart'), ...times(3, iteration.train), ...both('epochEnd'), ...both('cleanUp')],
  },
  'evaluate with simulateEpoch': {
    tasks: [evaluate({ steps: 1, simulateEpoch: true })],
    log: [...both('prepare'), ...both('epochStart'), ...iteration.eval, ...both('epochEnd'), ...both('cleanUp')],
  },
  'repeat of train and evaluate: prepared anew at each change of mode': {
    tasks: [repeat(2, [train({ steps: 1 }), evaluate({ steps: 1 })])],
    log: [...times(2, [...both('prepare'), ...iteration.train, ...both('prepare'), ...iteration.eval]), ...both('cleanUp')],
  },
  'repeat of one task: prepared once': {
    tasks: [repeat(2, [repeat(2, [train({ steps: 1 })])])],
    log: [...both('prepare'), ...times(4, iteration.train), ...both('cleanUp')],
  },
}

for (const [title, { tasks, log: expected }] of Object.entries(orders)) {
  test(`each phase completes on all nodes before the next: ${title}`, async (t) => {
    const log: string[] = []
    const graph = new HyperGraph()
      .add('data', new DatasetNode({ dataset: numbers(2) }))
      .add('A', new Node(hooks(log, 'A')))
      .add('B', new Node(hooks(log, 'B')))
    await graph.run(tasks, { outDir: folder(t) })
    t.deepEqual(log, expected)
  })
}

test("the scaler's update comes after every node's update, at the end of a window, in training only", async (t) => {
  const log: string[] = []
  const module = new nn.Linear(1, 1, { bias: false })
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, optimizers: optim.sgd({ lr: 0 }), forward: (n) => n.module.forward(tensor([[1]])) }))
    .add('loss', new LossNode({ forward: (_, x) => x.net.sum() }))
    .add(
      'see',
      new Node({
        forward: (n) => void log.push(`forward ${n.gradScaler?.getScale()}`),
        update: (n) => void log.push(`update ${n.gradScaler?.getScale()}`),
      }),
    )
    .accumulate(2)
    .gradScaler({ initScale: 4, growthFactor: 2, growthInterval: 1 })
  await graph.run([train({ steps: 2 }), evaluate({ steps: 1 }), train({ steps: 1 })], { outDir: folder(t) })
  const pair = (scale: number) => [`forward ${scale}`, `update ${scale}`]
  t.deepEqual(log, [...times(2, pair(4)), ...times(2, pair(8)), ...times(2, pair(16)), ...times(2, pair(16))])
})

test('order inside a phase is that of insertion; forward alone visits producers first', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph()
  graph.add('A', new Node({ ...hooks(log, 'A'), forward: (_, x: CacheAccess) => [x.get('C'), log.push('A.forward')] }))
  graph.add('B', new Node(hooks(log, 'B')))
  graph.add('C', new Node({ ...hooks(log, 'C'), forward: (_, x: CacheAccess) => [x.get('D'), log.push('C.forward')] }))
  graph.add('D', new Node(hooks(log, 'D')))
  await graph.run([task({ train: true, steps: 1, simulateEpoch: true })], { outDir: folder(t) })
  const all = (event: string) => ['A', 'B', 'C', 'D'].map((name) => `${name}.${event}`)
  t.deepEqual(log, [
    ...all('prepare'),
    ...all('epochStart'),
    'D.forward',
    'C.forward',
    'A.forward',
    'B.forward',
    ...all('backward'),
    ...all('update'),
    ...all('epochEnd'),
    ...all('cleanUp'),
  ])
})

test('a node runs exactly once in an iteration, whether nobody asks for it or many do, in every phase', async (t) => {
  const calls = { source: 0, left: 0, right: 0, alone: 0 }
  const graph = new HyperGraph()
    .add('source', new Node({ forward: () => (calls.source += 1) }))
    .add('left', new Node({ forward: (_, x) => [(calls.left += 1), x.source, x.source, x.get('source')] }))
    .add('right', new Node({ forward: (_, x) => [(calls.right += 1), x.left, x.source] }))
    .add('alone', new Node({ forward: () => (calls.alone += 1), backward: (n) => n.forward(), update: (n) => n.forward() }))
  await graph.run([train({ steps: 3 }), evaluate({ steps: 2 })], { outDir: folder(t) })
  t.deepEqual(calls, { source: 5, left: 5, right: 5, alone: 5 })
})

test('x.name and x.get(name) are one output under any name, also those of members of objects and of nodes', async (t) => {
  const names = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', 'length', 'name', 'has', 'keys', 'forward', 'a b', '0']
  const graph: HyperGraph = new HyperGraph()
  for (const name of names) graph.add(name, new LossNode({ forward: () => tensor([names.indexOf(name)], { requiresGrad: true }).mul(1) }))
  const read = (x: CacheAccess) => names.map((name) => [Reflect.get(x, name), x.get(name)])
  graph.add('reader', new Node({ forward: (_, x: CacheAccess) => read(x).map(([one, two]) => one === two && one instanceof Tensor) }))
  const { metrics } = await graph.run([task({ train: true, steps: 1, simulateEpoch: true })], { outDir: folder(t) })
  t.deepEqual(Object.entries(metrics.train).toSorted(), names.map((name, i) => [name, i] as const).toSorted())
  t.deepEqual(
    (await graph.step()).get('reader'),
    names.map(() => true),
  )
  for (const name of ['get', 'then', '__proto__', '', 'a/b'])
    t.throws(() => graph.add(name, new Node({})), { code: 'argument', message: /cannot name a node/ })
})

test('training is on the tape; evaluation is not, in any phase, whatever needs a gradient', async (t) => {
  const seen: unknown[] = []
  const leaf = tensor([1], { requiresGrad: true })
  const look = (phase: string) => void seen.push([phase, leaf.mul(2).requiresGrad])
  const graph = new HyperGraph().add('A', new Node({ forward: () => look('forward'), update: () => look('update') }))
  await graph.step({ train: false })
  await graph.step()
  t.deepEqual(seen, [
    ['forward', false],
    ['update', false],
    ['forward', true],
    ['update', true],
  ])
})

test('an epoch ends with the shortest data of its task', async (t) => {
  const seen: unknown[] = []
  const graph = new HyperGraph()
    .add('long', new DatasetNode({ dataset: numbers(5) }))
    .add('short', new DatasetNode({ dataset: numbers(2) }), { tags: 'short' })
    .add('see', new Node({ forward: (n, x) => void seen.push([n.epochSteps, n.epochSize, x.long.x.itemSync()]) }))
  await graph.run([train({ epochs: 2, tags: 'short' }), train({ epochs: 1, tags: 'other' })], { outDir: folder(t) })
  t.deepEqual(seen, [...[0, 1, 0, 1].map((i) => [i, 2, i]), ...[0, 1, 2, 3, 4].map((i) => [i, 5, i])])
})

test('a kept output is not made anew when it is asked for after update', async (t) => {
  const graph = new HyperGraph()
    .add('n1', new Node({ value: { now: 1 }, forward: (n) => n.value.now, update: (n) => void (n.value.now += 110) }))
    .add('n2', new Node({ forward: (_, x) => x.n1 * 2 }))
  await graph.step({ steps: 2 })
  t.is(graph.get('n2').forward(), 222)
})

const asks = (name: string) => new Node({ forward: (_, x: CacheAccess) => x.get(name) })

test('a cycle is an error that prints the path, from one node or from several', async (t) => {
  const ring = new HyperGraph().add('start', asks('a')).add('a', asks('b')).add('b', asks('c')).add('c', asks('a'))
  await t.throwsAsync(ring.step(), {
    code: 'graph',
    message: /^node 'c' in forward of 'train by steps, tags \*', iteration 0: the nodes wait for one another: a -> b -> c -> a;/,
  })
  await t.throwsAsync(new HyperGraph().add('me', asks('me')).step(), { code: 'graph', message: /node 'me'.*: me -> me;/ })
})

test('a graph with a cycle that tags leave out runs', async (t) => {
  const graph = new HyperGraph()
    .add('a', asks('b'))
    .add('b', asks('a'))
    .add('b', new Node({ forward: () => 3 }), { tags: 'cut' })
  await t.throwsAsync(graph.step({ tags: 'other' }), { message: /a -> b -> a/ })
  t.is((await graph.step({ tags: 'cut' })).get('a'), 3)
})

test('a missing name says which node asked, under which tags, in which task', async (t) => {
  const graph = new HyperGraph()
    .add('mnist', new Node({ forward: () => 1 }), { tags: 'val' })
    .add('net', new Node({ forward: (_, x) => x.mnist }))
  await t.throwsAsync(graph.run([evaluate({ steps: 1, tags: ['train', 'b'] })], { outDir: folder(t) }), {
    code: 'graph',
    message:
      "node 'net' in forward of 'evaluate by steps, tags b,train', iteration 0: asked for 'mnist', which is in the graph as 'val/mnist', " +
      "not selected by tags 'b,train'. Tags 'b,train' select net",
  })
})

for (const [when, hook] of Object.entries({ prepare: {}, epochStart: { steps: 1, simulateEpoch: true } })) {
  test(`outputs are made in an iteration alone: asking in ${when} is an error, not a call of forward`, async (t) => {
    let calls = 0
    const graph = new HyperGraph().add('A', new Node({ forward: () => (calls += 1), [when]: (n: Node) => n.forward() }))
    await t.throwsAsync(graph.run([task({ train: true, steps: 1, ...hook })], { outDir: folder(t) }), {
      code: 'graph',
      message: new RegExp(`node 'A' in ${when}.*asked for 'A', which has no output`),
    })
    t.is(calls, 0)
  })
}

test('prepare depends on graph and mode: the module is switched each time either changes, and only then', async (t) => {
  const log: string[] = []
  const module = new nn.Dropout(0.5)
  const graph = new HyperGraph()
    .add(
      'net',
      new ModuleNode({
        module,
        forward: (n) => void log.push(`forward ${n.module.training}`),
        prepare: (n) => void log.push(`prepare ${n.module.training}`),
      }),
    )
    .add('more', new Node({}), { tags: 'b' })
  const one = (train: boolean, tags: string) => task({ train, steps: 1, tags })
  const tasks = [one(true, 'a'), one(true, 'a'), one(false, 'a'), one(false, 'b'), one(true, 'b'), one(true, 'a')]
  await graph.run(tasks, { outDir: folder(t) })
  t.deepEqual(log, [
    'prepare true',
    'forward true',
    'forward true',
    'prepare false',
    'forward false',
    'prepare false',
    'forward false',
    'prepare true',
    'forward true',
    'prepare true',
    'forward true',
  ])
})

test('a node of two graphs works for the one that runs, under the name that it has there', async (t) => {
  const module = new nn.Dropout(0.5)
  const shared = new ModuleNode({ module, forward: (n) => [n.name, n.training, n.allNodes.size] })
  const [one, two] = [new HyperGraph().add('a', shared), new HyperGraph().add('b', shared).add('c', new Node({}))]
  t.deepEqual((await one.step()).a, ['a', true, 1])
  t.deepEqual((await two.step({ train: false })).b, ['b', false, 2])
  t.deepEqual((await one.step()).a, ['a', true, 1])
  t.true(module.training)
})

test('a node that is added between two tasks takes part in the next', async (t) => {
  const log: string[] = []
  const graph = logged(log, 'A')
  await graph.run([train({ steps: 1 })], { outDir: folder(t) })
  graph.add('B', new Node(hooks(log, 'B')))
  await graph.run([train({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(log, [
    'A.prepare',
    'A.forward',
    'A.backward',
    'A.update',
    'A.cleanUp',
    ...both('prepare'),
    ...iteration.train,
    ...both('cleanUp'),
  ])
})
