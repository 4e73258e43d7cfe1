// The kinds of tasks and what each promises, claim by claim. Details are in __test__/run/.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import test from 'ava'
import {
  call,
  DatasetNode,
  evaluate,
  HyperGraph,
  loadCheckpoint,
  LossNode,
  ModuleNode,
  nn,
  Node,
  optim,
  repeat,
  type RunControl,
  saveCheckpoint,
  StopAllTasks,
  StopTask,
  type TaskLike,
  task,
  tensor,
  timers,
  train,
} from '../../ts/index.ts'
import { folder, hooks, numbers, Weights } from '../graph/toys.ts'

/** A graph of one node that notes what it sees. */
const noting = (log: string[], own: object = {}) => new HyperGraph().add('A', new Node({ ...hooks(log, 'A'), ...own }))

/** Words among those that were noted. */
const only = (log: readonly string[], word: string) => log.filter((line) => line === word)

const iteration = ['A.forward', 'A.backward', 'A.update']

test('train({ epochs }): gradients, and passes over the data until it ends', async (t) => {
  const log: string[] = []
  const graph = noting(log).add('data', new DatasetNode({ dataset: numbers(3), batchSize: 2 }))
  const { history } = await graph.run([train({ epochs: 2 })], { outDir: folder(t) })
  const epoch = ['A.epochStart', ...iteration, ...iteration, 'A.epochEnd']
  t.deepEqual(log, ['A.prepare', ...epoch, ...epoch, 'A.cleanUp'])
  t.deepEqual(
    history.map(({ epoch, step, iterations, samples }) => [epoch, step, iterations, samples]),
    [
      [1, 2, 2, 3],
      [2, 4, 2, 3],
    ],
  )
})

test('train({ steps }): so many updates over data that begins anew, and no epochs', async (t) => {
  const log: string[] = []
  const graph = noting(log).add('data', new DatasetNode({ dataset: numbers(3), batchSize: 2 }))
  const { history } = await graph.run([train({ steps: 5 })], { outDir: folder(t) })
  t.deepEqual(log, ['A.prepare', ...Array.from({ length: 5 }, () => iteration).flat(), 'A.cleanUp'])
  t.deepEqual(history, [])
})

test('step mode counts updates: with windows of 3, a step is 3 iterations', async (t) => {
  const log: string[] = []
  const updates: number[] = []
  const graph = noting(log)
    .add('net', new ModuleNode({ module: new Weights(), optimizers: optim.sgd({ lr: 0.1 }), forward: (n) => n.module.forward() }))
    .accumulate(3)
  graph.events.on('update', ({ step }) => void updates.push(step))
  await graph.run([train({ steps: 2 })], { outDir: folder(t) })
  t.is(only(log, 'A.update').length, 6)
  t.deepEqual(updates, [3, 6])
})

test('a task of epochs wants a node that has an end', async (t) => {
  await t.throwsAsync(noting([]).run([train({ epochs: 1 })], { outDir: folder(t) }), { code: 'graph', message: /Give steps instead/ })
})

test('evaluate: forward and update alone, without gradients, modules in evaluation mode, nothing trains', async (t) => {
  const log: string[] = []
  const module = new nn.Linear(1, 1)
  const weights: number[] = []
  const note = call(() => void weights.push(module.weight.itemSync()))
  const graph = noting(log)
    .add('data', new DatasetNode({ dataset: numbers(2), batchSize: 2 }))
    .add('net', new ModuleNode({ module, optimizers: optim.sgd({ lr: 1 }), forward: (n, x) => n.module.forward(x.data.x) }))
    .add('see', new Node({ forward: (_, x) => log.push(`training ${module.training}, tracked ${x.net.requiresGrad}`) }))
    .add('loss', new LossNode({ forward: (_, x) => x.net.mean() }))
  await graph.run([note, train({ steps: 1 }), note, evaluate({ steps: 1 }), evaluate({ epochs: 1 }), note], { outDir: folder(t) })
  const look = ['A.forward', 'training false, tracked false', 'A.update']
  t.not(weights[1], weights[0])
  t.is(weights[2], weights[1])
  t.deepEqual(log.slice(log.indexOf('A.prepare', 1)), ['A.prepare', ...look, 'A.epochStart', ...look, 'A.epochEnd', 'A.cleanUp'])
})

test('task({ train, simulateEpoch }): a task of steps as one epoch, which is counted and recorded', async (t) => {
  const log: string[] = []
  const { history } = await noting(log).run(
    [task({ train: true, steps: 2, simulateEpoch: true }), task({ train: false, steps: 1, simulateEpoch: true })],
    { outDir: folder(t) },
  )
  const evaluation = ['A.prepare', 'A.epochStart', 'A.forward', 'A.update', 'A.epochEnd']
  t.deepEqual(log, ['A.prepare', 'A.epochStart', ...iteration, ...iteration, 'A.epochEnd', ...evaluation, 'A.cleanUp'])
  t.deepEqual(
    history.map(({ training, epoch, iterations }) => [training, epoch, iterations]),
    [
      [true, 1, 2],
      [false, 1, 1],
    ],
  )
})

test('train({ every }): tasks in the middle, after so many updates', async (t) => {
  const log: string[] = []
  const graph = noting(log)
  const every = { steps: 2, tasks: [evaluate({ steps: 1 }), call(() => void log.push('call'))] }
  await graph.run([train({ steps: 3, every })], { outDir: folder(t) })
  const middle = ['A.prepare', 'A.forward', 'A.update', 'call', 'A.prepare']
  t.deepEqual(log, ['A.prepare', ...iteration, ...iteration, ...middle, ...iteration, 'A.cleanUp'])
})

test('tags of a task select its nodes', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph()
    .add('A', new Node({ forward: () => log.push('A') }), { tags: 'a' })
    .add('B', new Node({ forward: () => log.push('B') }), { tags: 'b' })
  await graph.run([train({ steps: 1, tags: 'a' }), evaluate({ steps: 1, tags: 'b' }), train({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(log, ['A', 'B', 'A', 'B'])
})

test('repeat(n, tasks): the list n times, repeats in it too', async (t) => {
  const log: string[] = []
  const say = (word: string) => call(() => void log.push(word))
  await new HyperGraph().run([repeat(2, [say('a'), repeat(2, [say('b')])])], { outDir: folder(t) })
  t.deepEqual(log, ['a', 'b', 'b', 'a', 'b', 'b'])
})

test('saveCheckpoint({ to, tags, keep }) and loadCheckpoint({ from, strict, tags }): states of the nodes that tags select', async (t) => {
  const path = join(folder(t), 'a.safetensors')
  const module = new Weights()
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, forward: (n) => n.module.forward() }), { tags: 'net' })
    .add('data', new DatasetNode({ dataset: numbers(4) }), { tags: 'data' })
  const set = (value: number) => call(() => void module.a.assign(tensor([value])))
  const { outDir } = await graph.run(
    [
      saveCheckpoint({ to: path, tags: 'net' }),
      set(5),
      loadCheckpoint({ from: path, tags: 'net', strict: true }),
      repeat(3, [train({ steps: 1, tags: 'data' }), saveCheckpoint({ keep: 2 })]),
    ],
    { outDir: folder(t) },
  )
  t.is(module.a.itemSync(), 1)
  t.deepEqual(readdirSync(join(outDir, 'ckpts')).toSorted(), ['E0S2.safetensors', 'E0S3.safetensors'])
  await t.throwsAsync(graph.run([loadCheckpoint({ from: path, strict: true })], { outDir: folder(t) }), { message: /'data\/data'/ })
})

test('call(fn): between two tasks, waited for, with the graph', async (t) => {
  const log: string[] = []
  const tasks = [
    call(async (graph) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      log.push(graph.get('A').constructor.name)
    }),
    train({ steps: 1 }),
  ]
  await noting(log).run(tasks, { outDir: folder(t) })
  t.deepEqual(log, ['Node', 'A.prepare', ...iteration, 'A.cleanUp'])
})

/** One of each kind. */
const all = [
  train({ epochs: 1, tags: 'a' }),
  evaluate({ steps: 2 }),
  repeat(2, [train({ steps: 1 })]),
  saveCheckpoint({ keep: 3 }),
  loadCheckpoint({ from: 'x.safetensors' }),
  call(() => {}),
] as const satisfies readonly TaskLike[]

test('tasks are data: a union told apart by kind, frozen, printable as JSON but for functions', (t) => {
  const kinds = all.map(({ kind }) => kind)
  t.deepEqual(kinds, ['task', 'task', 'repeat', 'saveCheckpoint', 'loadCheckpoint', 'call'])
  // The compiler knows each by its kind.
  const lengths = all.map((item: TaskLike) => (item.kind === 'task' ? item.count : item.kind === 'repeat' ? item.tasks.length : 0))
  t.deepEqual(lengths, [1, 2, 1, 0, 0, 0])
  t.true(all.every(Object.isFrozen))
  t.true(Object.isFrozen(all[2].tasks))
  t.deepEqual(JSON.parse(JSON.stringify(all)), [...all.slice(0, -1).map((item) => ({ ...item })), { kind: 'call' }])
})

test('one list may be run many times, by several graphs', async (t) => {
  const tasks = Object.freeze([repeat(2, [train({ steps: 1 })])])
  for (const log of [[], []] as string[][]) {
    await noting(log).run(tasks, { outDir: folder(t) })
    await noting(log).run(tasks, { outDir: folder(t) })
    t.is(only(log, 'A.update').length, 4)
  }
})

test('StopTask ends the task, with epochEnd; the next one follows', async (t) => {
  const log: string[] = []
  const update = (): void => {
    log.push('stop')
    throw new StopTask('enough')
  }
  const { stopped } = await noting(log, { update }).run([train({ steps: 9 }), task({ train: true, steps: 9, simulateEpoch: true })], {
    outDir: folder(t),
  })
  const work = ['A.forward', 'A.backward', 'stop']
  t.deepEqual(log, ['A.prepare', ...work, 'A.epochStart', ...work, 'A.epochEnd', 'A.cleanUp'])
  t.is(stopped, null)
})

test('StopAllTasks ends the run, with epochEnd and cleanUp', async (t) => {
  const log: string[] = []
  const update = (): void => {
    throw new StopAllTasks('enough')
  }
  const tasks = [repeat(5, [task({ train: true, steps: 9, simulateEpoch: true }), call(() => t.fail())])]
  const { stopped } = await noting(log, { update }).run(tasks, { outDir: folder(t) })
  t.deepEqual(log, ['A.prepare', 'A.epochStart', 'A.forward', 'A.backward', 'A.epochEnd', 'A.cleanUp'])
  t.deepEqual(stopped, { by: 'StopAllTasks', checkpoint: null })
})

/** A run without an end, which is asked for something when its third iteration has ended. */
function asked(ask: (control: RunControl, outDir: string) => void) {
  const graph = new HyperGraph().add('A', new Node({ update: () => {} }))
  let iterations = 0
  let outDir = ''
  graph.events.on('runStart', (info) => void (outDir = info.outDir ?? ''))
  graph.events.on('iterationEnd', () => void (++iterations === 3 && ask(graph.control, outDir)))
  return { graph, tasks: [train({ steps: 1e9 })] }
}

test.serial('Ctrl-C: the step is finished, a checkpoint saved, the run ended', async (t) => {
  t.timeout(20_000)
  const { graph, tasks } = asked(() => void process.kill(process.pid, 'SIGINT'))
  const before = process.exitCode
  t.teardown(() => void (process.exitCode = before))
  const { stopped } = await graph.run(tasks, { outDir: folder(t), signals: true })
  t.is(stopped?.by, 'SIGINT')
  t.true(existsSync(stopped?.checkpoint ?? ''))
  t.is(process.exitCode, 130)
})

test.serial('a message from the parent process, or a file in the folder, stops the run too', async (t) => {
  t.timeout(20_000)
  for (const [by, ask] of [
    ['message', () => void process.emit('message', { firn: 'stop' }, undefined)],
    ['file', (_: RunControl, outDir: string) => writeFileSync(join(outDir, 'STOP'), '')],
  ] as const) {
    const { graph, tasks } = asked(ask)
    const { stopped } = await graph.run(tasks, { outDir: folder(t) })
    t.is(stopped?.by, by)
    t.true(existsSync(stopped?.checkpoint ?? ''))
  }
})

test('pause, resume and save on demand, between two iterations', async (t) => {
  t.timeout(20_000)
  const { graph, tasks } = asked((control) => void control.pause())
  const log: string[] = []
  for (const kind of ['paused', 'resumed', 'stopping'] as const) graph.events.on(kind, ({ by }) => void log.push(`${kind} by ${by}`))
  const run = graph.run(tasks, { outDir: folder(t) })
  while (graph.control.state !== 'paused') await new Promise((resolve) => setTimeout(resolve, 5))
  t.is(basename(await graph.control.save()), 'E0S3.safetensors')
  await graph.control.resume()
  await graph.control.stop({ save: false })
  t.deepEqual((await run).stopped, { by: 'control', checkpoint: null })
  t.deepEqual(log, ['paused by control', 'resumed by control', 'stopping by control'])
})

test('timers: per node and phase, forward without its producers, as CSV and as a trace', async (t) => {
  const wait = (ms: number): void => {
    for (const end = performance.now() + ms; performance.now() < end;);
  }
  const graph = new HyperGraph()
    .add('slow', new Node({ forward: () => wait(20) }))
    .add('fast', new Node({ forward: (_, x) => x.slow }))
    .observe(timers())
  const { outDir } = await graph.run([train({ steps: 2 })], { outDir: folder(t) })
  const rows = readFileSync(join(outDir, 'logs', 'timers.csv'), 'utf8')
    .trimEnd()
    .split('\n')
  const [, , , count, mean] = rows.find((row) => row.startsWith('slow,forward,train'))?.split(',') ?? []
  t.is(count, '2')
  t.true(Number(mean) >= 20)
  const own = rows.find((row) => row.startsWith('fast,forward,train'))?.split(',') ?? []
  t.true(Number(own[4]) < Number(mean))
  const { traceEvents } = JSON.parse(readFileSync(join(outDir, 'logs', 'trace.json'), 'utf8'))
  t.true(traceEvents.some(({ name }: { name: string }) => name === 'fast.forward'))
})
