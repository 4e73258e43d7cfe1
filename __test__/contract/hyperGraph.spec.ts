// HyperGraph, member by member; and the algebra of tags in a graph.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import test from 'ava'
import {
  call,
  csv,
  DatasetNode,
  epochLog,
  evaluate,
  HyperGraph,
  jsonl,
  LossNode,
  meter,
  MetricNode,
  ModuleNode,
  nn,
  Node,
  ones,
  optim,
  rand,
  randn,
  type Tensor,
  timers,
  train,
} from '../../ts/index.ts'
import { folder, noteReads, numbers, Weights } from '../graph/toys.ts'

const node = (value: unknown = 1) => new Node({ forward: () => value })
const names = (graph: Pick<HyperGraph, 'selectGraph'>, tags: string | readonly string[]) => [...graph.selectGraph(tags).nodes.keys()]

test('add returns the graph, in which the node stands under its tags and name', (t) => {
  const graph = new HyperGraph()
  const a = node()
  t.true(Object.is(graph.add('a', a, { tags: ['y', 'x'] }), graph))
  t.is(graph.get('x,y/a'), a)
})

test('remove returns the node and takes it out; it may be added again', async (t) => {
  const b = node(2)
  const graph = new HyperGraph().add('a', node()).add('b', b)
  t.is(graph.remove('b'), b)
  t.deepEqual(names(graph, '*'), ['a'])
  t.throws(() => graph.remove('b'), { code: 'graph', message: /no node 'b'/ })
  graph.add('c', b)
  t.is((await graph.step()).get('c'), 2)
})

test("get takes 'tags/name', or a name that only one node has", (t) => {
  const [one, two, three] = [node(), node(), node()]
  const graph = new HyperGraph()
    .add('a', one, { tags: 'x' })
    .add('a', two, { tags: ['#y', 'x'] })
    .add('b', three)
  t.is(graph.get('x/a'), one)
  t.is(graph.get('x,#y/a'), two)
  t.is(graph.get('b'), three)
  t.throws(() => graph.get('a'), { code: 'graph', message: /'a' may be 'x\/a' or '#y,x\/a'; say which/ })
})

test('selectNodes gives what a query matches by uid, selectGraph what a task runs by name', (t) => {
  const graph = new HyperGraph().add('a', node()).add('a', node(), { tags: 'x' }).add('b', node(), { tags: '#y' })
  t.deepEqual([...graph.selectNodes('x').keys()], ['*/a', 'x/a'])
  t.deepEqual([...graph.selectNodes().keys()], ['*/a', 'x/a', '#y/b'])
  t.deepEqual(names(graph, 'x'), ['a'])
  t.deepEqual(names(graph, ['x', '#y']), ['a', 'b'])
})

test("tags: '*' by default; plain tags all have to be in the query; one '#tag' is enough", (t) => {
  const graph = new HyperGraph()
    .add('always', node())
    .add('plain', node(), { tags: ['train', 'one'] })
    .add('either', node(), { tags: ['train', '#debug'] })
    .add('hash', node(), { tags: ['#debug', '#more'] })
  t.deepEqual(names(graph, 'val'), ['always'])
  t.deepEqual(names(graph, 'train'), ['always', 'either'])
  t.deepEqual(names(graph, ['train', 'one']), ['always', 'plain', 'either'])
  t.deepEqual(names(graph, '#debug'), ['always', 'either', 'hash'])
  t.deepEqual(names(graph, ['#more', 'one']), ['always', 'hash'])
  t.deepEqual(names(graph, '*'), ['always', 'plain', 'either', 'hash'])
})

test("a node tagged '*' is replaced by a more specific one of its name, in both orders of adding", async (t) => {
  const build = (swap: boolean) => {
    const graph: HyperGraph = new HyperGraph()
    const parts = [
      () => graph.add('a', node('default')),
      () => graph.add('a', node('specific'), { tags: 'x' }),
      () => graph.add('a', node('hash'), { tags: '#h' }),
    ]
    for (const part of swap ? parts.toReversed() : parts) part()
    return graph
  }
  for (const swap of [false, true]) {
    const outputs = await Promise.all(['x', '#h', 'other'].map(async (tags) => (await build(swap).step({ tags })).get('a')))
    t.deepEqual(outputs, ['specific', 'hash', 'default'])
  }
})

test('two specific nodes of one name selected at once are an error that names both; separately they are not', (t) => {
  const graph = new HyperGraph().add('a', node(), { tags: 'x' }).add('a', node(), { tags: '#h' }).add('a', node())
  t.throws(() => graph.selectGraph(['#h', 'x']), {
    code: 'graph',
    message: "tags '#h,x' select both 'x/a' and '#h/a'; a query may select one node of a name",
  })
  t.throws(() => graph.selectGraph('*'), { code: 'graph', message: /'x\/a' and '#h\/a'/ })
  t.deepEqual(names(graph, 'x'), ['a'])
})

test('queries are sets: order and repeats make no other graph; nodes added or removed later are seen by every query', (t) => {
  const graph: HyperGraph = new HyperGraph()
  graph.add('a', node(), { tags: ['x', 'y'] })
  const first = graph.selectGraph(['y', 'x'])
  t.is(graph.selectGraph(['x', 'y', 'x']), first)
  t.deepEqual([...first.tags], ['x', 'y'])
  graph.add('b', node(), { tags: 'y' })
  t.deepEqual(names(graph, ['x', 'y']), ['a', 'b'])
  graph.remove('a')
  t.deepEqual(names(graph, ['y', 'x']), ['b'])
})

// Serial, since random numbers are the process's.
test.serial(
  'run: device, runId, outDir and seed; the folder is <runId>_<date>_<random> with ckpts, logs and src, the entry script in src',
  async (t) => {
    const outDir = folder(t)
    const seen: unknown[] = []
    const graph = new HyperGraph().add('a', new Node({ forward: (n) => seen.push(n.device, rand([1]).itemSync()) }))
    const results = []
    for (const seed of [3, 4, 3]) results.push(await graph.run([train({ steps: 1 })], { outDir, runId: 'my-run', seed, device: 'cpu' }))
    for (const result of results) {
      t.regex(basename(result.outDir), /^my-run_\d{8}-\d{6}_[0-9a-f]{4}$/)
      t.is(result.outDir, join(outDir, basename(result.outDir)))
      t.deepEqual(readdirSync(result.outDir).toSorted(), ['ckpts', 'logs', 'run.json', 'src'])
      t.is(readdirSync(join(result.outDir, 'src')).length > 0, existsSync(process.argv[1] ?? ''))
    }
    t.is(new Set(results.map((result) => result.outDir)).size, 3)
    const [cpu, three, , four, , again] = seen
    t.is(cpu, 'cpu')
    t.is(three, again)
    t.not(three, four)
  },
)

test('run: the devices of this build, as one name or as a list of one', async (t) => {
  const seen: unknown[] = []
  const graph = new HyperGraph().add('a', new Node({ prepare: (n) => void seen.push(n.device) }))
  for (const where of [{}, { device: 'auto' }, { device: 'cpu' }, { devices: ['auto'] }, { devices: ['cpu'] }])
    await graph.run([train({ steps: 1 })], { outDir: folder(t), ...where })
  t.deepEqual(seen, ['cpu', 'cpu', 'cpu', 'cpu', 'cpu'])
})

test('run: one at a time; step, too, waits for the end of a run', async (t) => {
  const outDir = folder(t)
  const graph: HyperGraph = new HyperGraph()
  graph.add('a', node())
  const again = call(() => graph.run([], { outDir }).then(() => {}))
  await t.throwsAsync(graph.run([again], { outDir }), { code: 'graph', message: /is running already; await that run first/ })
  const step = call(() => graph.step().then(() => {}))
  await t.throwsAsync(graph.run([step], { outDir }), { code: 'graph', message: /graph.step: this graph is running/ })
  await t.notThrowsAsync(graph.run([train({ steps: 1 })], { outDir }))
})

test('step: runs so many updates and returns the outputs of the last iteration, which live on', async (t) => {
  const graph = new HyperGraph()
    .accumulate(2)
    .add('data', new DatasetNode({ dataset: numbers(4) }))
    .add('double', new Node({ forward: (_, x) => x.data.x.mul(2) }))
    .add('see', new Node({ forward: (n) => [n.globalTrainSteps, n.training, n.stepMode] }))
  const { double, see } = await graph.step({ steps: 2 })
  t.deepEqual([...double.dataSync()], [6])
  t.deepEqual(see, [4, true, true])
  t.deepEqual((await graph.step({ train: false })).see, [4, false, true])
  t.deepEqual((await graph.step()).see, [6, true, true])
  await t.throwsAsync(graph.step({ steps: 0 }), { code: 'argument', message: /steps 0/ })
  // @ts-expect-error unknown option
  await t.throwsAsync(graph.step({ step: 1 }), { code: 'argument', message: /unknown option 'step'/ })
})

test('step and run: a window that is open when the other begins is closed first, with its own divisor', async (t) => {
  const module = new Weights()
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, optimizers: { a: optim.sgd({ lr: 1, accumulate: 3 }) }, forward: (n) => n.module.a.sum() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  await graph.step({ steps: 2 })
  t.is(module.a.itemSync(), 1)
  const before: number[] = []
  graph.events.on('runStart', () => void before.push(module.a.itemSync()))
  await graph.run([train({ steps: 3 })], { outDir: folder(t) })
  t.deepEqual(before, [0])
  t.is(module.a.itemSync(), -1)
})

test('autocast, gradScaler, accumulate: hold for the runs that begin after, and chain', async (t) => {
  const seen: unknown[] = []
  const graph = new HyperGraph()
    .autocast({ dtype: 'bfloat16' })
    .gradScaler({ initScale: 16 })
    .accumulate(3)
    .add('net', new ModuleNode({ module: new nn.Linear(2, 2), forward: (n) => n.module.forward(ones([1, 2])) }))
    .add('see', new Node({ forward: (n, x) => void seen.push(x.net.dtype, n.gradScaler?.getScale(), n.gradAccSteps) }))
  await graph.run([evaluate({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(seen.slice(0, 3), ['bfloat16', 16, 3])
  seen.length = 0
  await graph
    .autocast(null)
    .gradScaler(null)
    .accumulate(1)
    .run([evaluate({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(seen, ['float32', undefined, 1])
  for (const wrong of [0, 1.5, -1]) t.throws(() => graph.accumulate(wrong), { code: 'argument', message: /expected a whole number from 1/ })
})

test('saveCheckpoint and loadCheckpoint: the states of the nodes that tags select', async (t) => {
  const path = join(folder(t), 'ckpt')
  const build = () => {
    const modules = [new nn.Linear(1, 1), new nn.Linear(1, 1)] as const
    for (const module of modules) module.loadStateDict({ weight: randn([1, 1]), bias: randn([1]) })
    const graph = new HyperGraph()
      .add('one', new ModuleNode({ module: modules[0], forward: () => 1 }), { tags: 'one' })
      .add('two', new ModuleNode({ module: modules[1], forward: () => 2 }), { tags: 'two' })
    return { graph, values: () => modules.map(({ weight }) => weight.itemSync()) }
  }
  const [from, to] = [build(), build()]
  const [, own] = to.values()
  t.is(await from.graph.saveCheckpoint({ to: path, tags: 'one' }), path)
  t.deepEqual(await to.graph.loadCheckpoint(path, { strict: true, tags: 'one' }), [])
  t.deepEqual(to.values(), [from.values()[0], own])
  await t.throwsAsync(to.graph.loadCheckpoint(path, { strict: true }), {
    code: 'graph',
    message: /node 'two\/two' is not in the checkpoint/,
  })
})

test('probe prints outputs of nodes; explain says who reads whom', async (t) => {
  const lines: string[] = []
  const graph = new HyperGraph()
    .add('a', new Node({ forward: (n) => n.globalTrainSteps }))
    .add('b', new Node({ forward: (_, x) => x.a * 2 }))
    .probe(['a', 'b'], { every: 2, total: 2, tags: 'train', print: (line) => lines.push(line) })
  t.regex(graph.explain('train'), /reads not known yet/)
  await graph.step({ steps: 1, tags: 'val' })
  t.deepEqual(lines, [])
  await graph.run([train({ steps: 9, tags: 'train' })], { outDir: folder(t) })
  t.deepEqual(lines, ['E0S1 a: 1', 'E0S1 b: 2', 'E0S2 a: 2', 'E0S2 b: 4'])
  t.regex(graph.explain('train'), /b: Node, forward, reads a$/)
  lines.length = 0
  const failing = new HyperGraph()
    .add('a', new Node({ forward: () => 1 }))
    .add('b', new Node({ forward: () => JSON.parse('{') }))
    .probe(['a', 'b'], { print: (line) => lines.push(line) })
  await t.throwsAsync(failing.step(), { message: /^node 'b' in forward/ })
  t.deepEqual(lines, ['E0S1 a: 1'])
})

test('counters of step go on from call to call, and begin anew after a run', async (t) => {
  const seen: number[] = []
  const graph = new HyperGraph().add('a', new Node({ forward: (n) => void seen.push(n.globalTrainSteps) }))
  await graph.step({ steps: 2 })
  await graph.step()
  await graph.run([train({ steps: 1 })], { outDir: folder(t) })
  await graph.step({ steps: 2 })
  t.deepEqual(seen, [1, 2, 3, 1, 1, 2])
})

test('explain prints the order, the phases that each node acts in, who reads whom, and what waits for several processes', async (t) => {
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(2) }))
    .add('late', new Node({ forward: (_, x) => x.data.x }), { tags: 'x' })
    .add(
      'net',
      new ModuleNode({ module: new Weights(), optimizers: optim.sgd({ lr: 0.1 }), forward: (n, x) => n.module.forward().mul(x.data.x) }),
    )
    .add('loss', new LossNode({ forward: (_, x) => x.net.sum() }))
    .add('alone', new Node({ backward: () => {} }))
  await graph.step({ tags: 'y' })
  t.is(
    graph.explain('y'),
    [
      'tags y: 4 nodes in order',
      '  data: DatasetNode, forward, reads nothing',
      '  net: ModuleNode, forward update, reads data',
      '  loss: LossNode, forward backward update, reads net',
      '  alone: Node, forward backward, reads nothing',
    ].join('\n'),
  )
  t.is(graph.selectGraph('y').toString(), graph.explain('y'))
})

test.serial('listening, logging and timing read nothing from the device within an iteration', async (t) => {
  let inside = false
  const reads = { inside: 0, outside: 0 }
  t.teardown(noteReads(() => (reads[inside ? 'inside' : 'outside'] += 1)))
  const scalars: number[] = []
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(8) }))
    .add('net', new ModuleNode({ module: new Weights(), optimizers: optim.adamW({ lr: 0.1 }), forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
    .add('mean', new MetricNode({ meter: meter.average(), forward: (_, x) => [x.net] }))
    .add('board', new Node({ update: (n) => n.board.histogram('ones', ones([3])) }))
    .observe(
      epochLog(() => {}),
      jsonl({ every: 1 }),
      csv({ every: 1 }),
      timers(),
    )
  graph.events.on('scalar', ({ name, value }) => void (name === 'loss' && scalars.push(value)))
  graph.events.on('histogram', () => {})
  graph.events.on('iterationStart', () => void (inside = true))
  graph.events.on('iterationEnd', () => void (inside = false))
  await graph.run([train({ epochs: 2 }), evaluate({ epochs: 1 })], { outDir: folder(t) })
  t.is(scalars.length, 16)
  t.is(reads.inside, 0)
  t.true(reads.outside > 0)
})

test('outputs of any type pass from node to node untouched', async (t) => {
  const output = { tensor: ones([1]), list: [1, 'a'], nothing: undefined }
  const seen: unknown[] = []
  const graph = new HyperGraph()
    .add('a', new Node({ forward: (): { tensor: Tensor; list: unknown[]; nothing: undefined } => output }))
    .add('b', new Node({ forward: (_, x) => void seen.push(x.a) }))
  await graph.step()
  t.is(seen[0], output)
})
