// Mistakes a newcomer makes with a graph, as in JavaScript, where no types are checked: each is told where it is made, with what to do.
import { readdirSync } from 'node:fs'
import test from 'ava'
import {
  call,
  DatasetNode,
  HyperGraph,
  LossNode,
  meter,
  MetricNode,
  ModuleNode,
  nn,
  Node,
  ones,
  optim,
  repeat,
  saveCheckpoint,
  train,
} from '../../ts/index.ts'
import type { AnyNode } from '../../ts/graph/index.ts'
import { folder, numbers } from '../graph/toys.ts'

/** Calls a function as JavaScript does. */
const loosely = (fn: (...args: never[]) => unknown, ...args: unknown[]): unknown => Reflect.apply(fn, undefined, args)
const make = (Kind: new (...args: never[]) => unknown, options: object): unknown => Reflect.construct(Kind, [options])

const module = new nn.Linear(1, 1)
const forward = () => ones([1])

const mistakes: Readonly<Record<string, readonly [make: () => unknown, message: string]>> = {
  'a node without its module': [() => make(ModuleNode, { forward }), "ModuleNode: 'module' is undefined, expected an nn.Module"],
  'a class instead of a module': [() => make(ModuleNode, { module: nn.Linear }), "ModuleNode: 'module' is Function, expected an nn.Module"],
  'a rate instead of an optimizer': [
    () => make(ModuleNode, { module, optimizers: { weight: 0.1 } }),
    "ModuleNode: optimizers: 'weight' has 0.1, expected an optimizer such as optim.adamW({ lr: 1e-3 })",
  ],
  'a pattern that is no regular expression': [
    () => make(ModuleNode, { module, optimizers: { '(': optim.sgd() } }),
    "optimizers: '(' is not a regular expression",
  ],
  'a weight that is no number': [() => make(LossNode, { weight: '2', forward }), 'LossNode: weight 2, expected a finite number'],
  'a weight that is not finite': [() => make(LossNode, { weight: NaN, forward }), 'LossNode: weight NaN, expected a finite number'],
  'a metric without its meter': [
    () => make(MetricNode, { forward }),
    "MetricNode: 'meter' is missing or none; give meter.accuracy() or one of its neighbours",
  ],
  'a node without its dataset': [
    () => make(DatasetNode, {}),
    'DataLoader: dataset is undefined, expected an object with length and get(index)',
  ],
  'a dataset that was not awaited': [
    () => make(DatasetNode, { dataset: Promise.resolve(numbers(1)) }),
    'DataLoader: dataset is a promise; await it',
  ],
  'a task instead of a list': [
    () => loosely(repeat, 2, train({ steps: 1 })),
    'repeat: one task given, expected a list of tasks: [train({ epochs: 1 })]',
  ],
  'a task that was not called': [
    () => loosely(repeat, 2, [train({ steps: 1 }), saveCheckpoint]),
    'repeat: item 1 of the tasks is the function saveCheckpoint; call it: saveCheckpoint(...)',
  ],
  'a function among the tasks': [
    () => loosely(repeat, 2, [forward]),
    'repeat: item 0 of the tasks is the function forward; give it to call',
  ],
  'a list within the list': [
    () => loosely(repeat, 2, [[train({ steps: 1 })]]),
    'repeat: item 0 of the tasks is a list; expected what train, evaluate, task, repeat, saveCheckpoint, loadCheckpoint, call return',
  ],
  'a task in the middle of another that was not called': [
    () => loosely(train, { steps: 4, every: { steps: 2, tasks: [saveCheckpoint] } }),
    'task: every: item 0 of the tasks is the function saveCheckpoint; call it: saveCheckpoint(...)',
  ],
  'a call of no function': [() => loosely(call, 3), 'call: 3 given, expected a function'],
  'a node by an odd name': [
    () => new HyperGraph().add('get', new Node({})),
    "graph.add: 'get' cannot name a node; expected a word without '/', other than get, then, __proto__",
  ],
  'a name instead of a node': [
    () => loosely((graph: HyperGraph) => Reflect.apply(graph.add, graph, ['a', 'b']), new HyperGraph()),
    "graph.add: 'a' is given no Node",
  ],
}

for (const [what, [make, message]] of Object.entries(mistakes)) {
  test(what, (t) => void t.throws(make, { code: 'argument', message }))
}

test('an option by itself, where options are an object', async (t) => {
  const graph = new HyperGraph()
  const call = (name: 'add' | 'step', ...args: unknown[]) => Reflect.apply(graph[name], graph, args)
  t.throws(() => call('add', 'a', new Node({}), 'train'), {
    code: 'argument',
    message: 'graph.add: "train" given, expected options: { tags }',
  })
  graph.add('a', new Node({}))
  await t.throwsAsync(call('step', 'train'), {
    code: 'argument',
    message: 'graph.step: "train" given, expected options: { train, steps, tags }',
  })
})

/** What an iteration with a node of these options says, after the place. */
async function told(Kind: new (...args: never[]) => AnyNode, options: object): Promise<string | undefined> {
  const graph: HyperGraph = new HyperGraph()
  Reflect.apply(graph.add, graph, ['node', Reflect.construct(Kind, [options])])
  const error = await graph.step().then(
    () => null,
    (error: unknown) => error,
  )
  return error instanceof Error ? /iteration \d: (.*)/.exec(error.message)?.[1] : undefined
}

test('in an iteration: a loss that leads to nothing, a metric that is no list, a report that is no plain data', async (t) => {
  t.is(
    await told(LossNode, { forward }),
    'the losses depend on nothing that trains: give a ModuleNode `optimizers` whose patterns match, and let its forward return what the losses read',
  )
  t.is(
    await told(MetricNode, { meter: meter.average(), forward: () => 3 }),
    'forward gave number, expected a list of what the meter takes, such as [x.net, x.data.label]',
  )
  t.is(
    await told(Node, { update: (n: Node) => Reflect.apply(n.board.metric, n.board, ['m', { deep: [ones([1])] }]) }),
    "board.metric: 'm' is no plain data; a checkpoint keeps it: await tensor.item() or toArray() first",
  )
})

const runs: Readonly<Record<string, readonly [options: object, code: string, message: string]>> = {
  'a device that is not there': [{ device: 'abacus' }, 'device', "device: 'abacus' is not in this build; available: auto, cpu"],
  'one of several devices that is not there': [
    { devices: ['cpu', 'cuda:0'] },
    'device',
    "device: 'cuda:0' is not in this build; available: auto, cpu",
  ],
  'a device by number': [{ device: 0 }, 'device', "device: 0 given, expected a name such as 'cpu' or 'auto'"],
  'devices in one word': [{ devices: 'cpu' }, 'argument', "graph.run: devices: cpu given, expected a list: ['cpu']"],
  'several devices': [
    { devices: ['cpu', 'cpu'] },
    'argument',
    'graph.run: devices: 2 given, expected one; training on several devices is not there yet',
  ],
  'device and devices': [{ device: 'cpu', devices: ['cpu'] }, 'argument', "graph.run: 'device' and 'devices' are given; leave one out"],
  'a launcher': [{ launcher: {} }, 'argument', 'graph.run: launcher: running in several processes is not there yet; leave it out'],
  'a run with folders in its name': [
    { runId: '../mine' },
    'argument',
    "graph.run: runId '../mine', expected a word without '/' or '\\'; 'outDir' is the place for folders",
  ],
  'a run without a name': [
    { runId: '' },
    'argument',
    "graph.run: runId '', expected a word without '/' or '\\'; 'outDir' is the place for folders",
  ],
  'an option that does not exist': [
    { sed: 1 },
    'argument',
    "graph.run: unknown option 'sed'; did you mean 'seed'? (known: device, devices, seed, runId, outDir, resumeFrom, signals)",
  ],
}

for (const [what, [options, code, message]] of Object.entries(runs)) {
  test(`graph.run: ${what} is refused before anything is made`, async (t) => {
    const outDir = folder(t)
    const graph = new HyperGraph().add('a', new Node({}))
    await t.throwsAsync(graph.run([], { outDir, ...options }), { code, message })
    t.deepEqual(readdirSync(outDir), [])
  })
}

test('graph.run: what is no list of tasks is refused, and the graph can run after', async (t) => {
  const outDir = folder(t)
  const graph = new HyperGraph().add('a', new Node({}))
  const run = (tasks: unknown) => Reflect.apply(graph.run, graph, [tasks, { outDir }])
  await t.throwsAsync(run(train({ steps: 1 })), { code: 'argument', message: /^graph\.run: one task given, expected a list/ })
  await t.throwsAsync(run(undefined), { code: 'argument', message: /^graph\.run: undefined given, expected a list/ })
  await t.throwsAsync(run([saveCheckpoint]), { code: 'argument', message: /item 0 of the tasks is the function saveCheckpoint; call it/ })
  await t.throwsAsync(run([null]), { code: 'argument', message: /item 0 of the tasks is null; expected what train, / })
  t.deepEqual(readdirSync(outDir), [])
  await t.notThrowsAsync(run([train({ steps: 1 })]))
})
