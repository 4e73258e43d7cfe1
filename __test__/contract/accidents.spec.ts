// Accidents of the library that the graph follows, B1 to B15: what is right here. docs/design/graph.md lists them.
import test from 'ava'
import {
  call,
  DatasetNode,
  evaluate,
  HyperGraph,
  LossNode,
  meter,
  MetricNode,
  ModuleNode,
  nn,
  Node,
  ones,
  optim,
  rand,
  repeat,
  saveCheckpoint,
  StopTask,
  type Tensor,
  train,
} from '../../ts/index.ts'
import { closeTo } from '../helpers.ts'
import { folder, noteReads, numbers, Weights } from '../graph/toys.ts'

/** The weight, after each iteration of training, of a module whose gradient is its weight. */
async function decay(optimizer: (accumulate: number) => optim.Optimizer, { window = 2, iterations = 5 } = {}): Promise<number[]> {
  const weights: number[] = []
  const module = new Weights()
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, optimizers: { a: optimizer(window) }, forward: (n) => n.module.a.square().mul(0.5).sum() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  graph.events.on('iterationEnd', () => void weights.push(module.a.itemSync()))
  await graph.step({ steps: iterations })
  return weights
}

test("B1: a node tagged only '#x' is selected by '#x' and '*', and by no other query", (t) => {
  const graph = new HyperGraph().add('debug', new Node({}), { tags: '#x' }).add('other', new Node({}))
  const selecting = ['train', 'x', '#y', '#x', '*'].filter((tags) => graph.selectGraph(tags).nodes.has('debug'))
  t.deepEqual(selecting, ['#x', '*'])
})

test('B2: the first window is a full one, and a window of n is divided by n, with any number of updaters', async (t) => {
  const updater = () => {}
  for (const updaters of [[], [updater], [updater, updater]]) {
    closeTo(t, await decay((accumulate) => optim.sgd({ lr: 0.1, accumulate, updaters })), [1, 0.9, 0.9, 0.81, 0.81])
  }
})

test('B2: a partial window is closed with its own divisor, and leaks into no epoch and no task', async (t) => {
  const outDir = folder(t)
  const steps: string[] = []
  const module = new Weights()
  // Each iteration has the gradient 1: a step of lr 1 lowers the weight by 1 if it is divided by as many as there were.
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(3) }))
    .add('net', new ModuleNode({ module, optimizers: { a: optim.sgd({ lr: 1, accumulate: 2 }) }, forward: (n) => n.module.a.sum() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  graph.events.on('iterationEnd', () => void steps.push(String(module.a.itemSync())))
  graph.events.on('taskEnd', ({ label }) => void steps.push(`${label}: ${module.a.itemSync()}`))
  await graph.run([train({ epochs: 2 }), evaluate({ steps: 1 }), train({ steps: 1 }), evaluate({ steps: 1 })], { outDir })
  t.deepEqual(steps, [
    '1',
    '0',
    '0',
    '-1',
    '-2',
    '-2',
    'train by epochs, tags *: -3',
    '-3',
    'evaluate by steps, tags *: -3',
    '-3',
    'train by steps, tags *: -4',
    '-4',
    'evaluate by steps, tags *: -4',
  ])
})

test('B3: each optimizer counts its own window: two with a window of 2 both step every second iteration', async (t) => {
  const module = new Weights()
  const rule = () => optim.sgd({ lr: 1, accumulate: 2 })
  const seen: number[][] = []
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, optimizers: { a: rule(), b: rule() }, forward: (n) => n.module.a.add(n.module.b).sum() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  graph.events.on('iterationEnd', () => void seen.push([module.a.itemSync(), module.b.itemSync()]))
  await graph.step({ steps: 4 })
  t.deepEqual(seen, [
    [1, 1],
    [0, 0],
    [0, 0],
    [-1, -1],
  ])
})

test('B4: train, then evaluate on the same tags: the module is in evaluation mode, dropout is off, and back again', async (t) => {
  const sums: number[] = []
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module: new nn.Dropout(0.5), forward: (n) => n.module.forward(ones([1000])) }))
    .add('see', new Node({ forward: (_, x) => sums.push(x.net.sub(1).abs().sum().itemSync()) }))
  await graph.run([repeat(2, [train({ steps: 1 }), evaluate({ steps: 1 })])], { outDir: folder(t) })
  t.deepEqual(
    sums.map((changed) => changed > 0),
    [true, false, true, false],
  )
})

test('B5: the scale moves where windows end, never within one, and its state is in checkpoints', async (t) => {
  const outDir = folder(t)
  const scales: (number | undefined)[] = []
  const build = () =>
    new HyperGraph()
      .gradScaler({ initScale: 2, growthInterval: 1 })
      .add(
        'net',
        new ModuleNode({
          module: new Weights(),
          optimizers: { a: optim.sgd({ lr: 0.1 }), b: optim.sgd({ lr: 0.1, accumulate: 2 }) },
          forward: (n) => n.module.forward(),
        }),
      )
      .add('loss', new LossNode({ forward: (_, x) => x.net }))
      .add('see', new Node({ forward: (n) => void scales.push(n.gradScaler?.getScale()) }))
  const tasks = [train({ steps: 6 }), saveCheckpoint({ to: 'six' }), train({ steps: 2 })]
  const whole = await build().run(tasks, { outDir })
  t.deepEqual(scales.splice(0), [2, 2, 4, 4, 8, 8, 16, 16])
  await build().run(tasks, { outDir, resumeFrom: `${whole.outDir}/ckpts/six` })
  t.deepEqual(scales, [16, 16])
})

test('B6: optimizer states are kept by pattern; a stage without the pattern keeps them for the one that has it again', async (t) => {
  const outDir = folder(t)
  const graphOf = (pattern: string) => {
    const module = new Weights()
    const graph = new HyperGraph()
      .add('net', new ModuleNode({ module, optimizers: { [pattern]: optim.adamW({ lr: 0.1 }) }, forward: (n) => n.module.forward() }))
      .add('loss', new LossNode({ forward: (_, x) => x.net }))
    return { graph, module }
  }
  const straight = graphOf('a')
  await straight.graph.run([train({ steps: 3 })], { outDir })
  const [first, between, last] = [graphOf('a'), graphOf('nothing'), graphOf('a')]
  const { outDir: saved } = await first.graph.run([train({ steps: 2 }), saveCheckpoint({ to: 'one' })], { outDir })
  await between.graph.loadCheckpoint(`${saved}/ckpts/one`)
  await between.graph.saveCheckpoint({ to: `${saved}/ckpts/two` })
  await last.graph.loadCheckpoint(`${saved}/ckpts/two`)
  await last.graph.run([train({ steps: 1 })], { outDir })
  t.is(last.module.a.itemSync(), straight.module.a.itemSync())
})

test('B7: the eager step has all that a run has: states are saved and loaded, samplers go on', async (t) => {
  const path = `${folder(t)}/eager.safetensors`
  const graphOf = (seen: number[]) =>
    new HyperGraph()
      .add('data', new DatasetNode({ dataset: numbers(8), batchSize: 2, shuffle: true, seed: 3 }))
      .add('net', new ModuleNode({ module: new Weights(), optimizers: optim.adamW({ lr: 0.1 }), forward: (n) => n.module.forward() }))
      .add('loss', new LossNode({ forward: (_, x) => x.net }))
      .add('see', new Node({ forward: (_, x) => void seen.push(...x.data.x.dataSync(), x.net.itemSync()) }))
  const [straight, parted]: number[][] = [[], []]
  await graphOf(straight ?? []).step({ steps: 6 })
  const before = graphOf(parted ?? [])
  await before.step({ steps: 3 })
  await before.saveCheckpoint({ to: path })
  const after = graphOf(parted ?? [])
  await after.loadCheckpoint(path)
  await after.step({ steps: 3 })
  t.is(straight?.length, 18)
  t.deepEqual(parted, straight)
})

test('B8: an epoch of N batches counts N iterations: none is begun that finds no data', async (t) => {
  const seen: number[] = []
  const starts: unknown[] = []
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(3) }))
    .add('see', new Node({ forward: (n) => seen.push(n.globalTrainSteps) }))
  graph.events.on('iterationStart', ({ epochSteps }) => void starts.push(epochSteps))
  const { history } = await graph.run([train({ epochs: 2 })], { outDir: folder(t) })
  t.deepEqual(seen, [1, 2, 3, 4, 5, 6])
  t.deepEqual(starts, [0, 1, 2, 0, 1, 2])
  t.deepEqual(
    history.map(({ step, iterations }) => [step, iterations]),
    [
      [3, 3],
      [6, 3],
    ],
  )
})

test('B8: an iteration that is given up in forward is not counted either', async (t) => {
  const seen: number[] = []
  const steps: number[] = []
  const graph = new HyperGraph().add(
    'A',
    new Node({
      forward: (n) => {
        seen.push(n.globalTrainSteps)
        if (seen.length === 3) throw new StopTask()
      },
    }),
  )
  graph.events.on('taskEnd', ({ done }) => void steps.push(done))
  await graph.run([train({ steps: 9 }), train({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(seen, [1, 2, 3, 3])
  t.deepEqual(steps, [2, 1])
})

test('B9: counters belong to a run: a second graph in the process, and a second run, begin at 0', async (t) => {
  const outDir = folder(t)
  const seen: (readonly number[])[] = []
  const build = () =>
    new HyperGraph()
      .add('data', new DatasetNode({ dataset: numbers(2) }))
      .add('see', new Node({ forward: (n) => void seen.push([n.globalAutoSteps, n.globalTrainSteps, n.globalTrainEpochs]) }))
  const first = build()
  await first.run([train({ epochs: 1 }), evaluate({ steps: 1 })], { outDir })
  t.deepEqual(seen.splice(0), [
    [1, 1, 0],
    [2, 2, 0],
    [1, 2, 1],
  ])
  for (const graph of [first, build()]) {
    await graph.run([train({ steps: 1 })], { outDir })
    t.deepEqual(seen.splice(0), [[1, 1, 0]])
  }
  // Side by side.
  const [one, two] = [build(), build()]
  await Promise.all([one, two].map((graph) => graph.run([train({ steps: 2 })], { outDir })))
  t.deepEqual(seen.map(([auto]) => auto).toSorted(), [1, 1, 2, 2])
})

// Serial, since random numbers are the process's.
test.serial('B10: a resumed run sees the batches, random numbers, counters and records that the whole run would have seen', async (t) => {
  const outDir = folder(t)
  const build = (seen: unknown[]) => {
    const module = new Weights()
    return new HyperGraph()
      .add('data', new DatasetNode({ dataset: numbers(10), batchSize: 3, shuffle: true }))
      .add(
        'net',
        new ModuleNode({ module, optimizers: optim.adamW({ lr: 0.1 }), forward: (n, x) => n.module.forward().mul(x.data.x.mean()) }),
      )
      .add('loss', new LossNode({ forward: (_, x) => x.net }))
      .add('mean', new MetricNode({ meter: meter.average(), forward: (_, x) => [x.net] }))
      .add('noise', new Node({ forward: () => rand([1]).itemSync() }))
      .add(
        'see',
        new Node({
          forward: (n, x) =>
            void seen.push([n.globalTrainSteps, n.globalTrainEpochs, n.epochSteps, ...x.data.x.dataSync(), x.noise, x.net.itemSync()]),
        }),
      )
  }
  const [whole, parted]: unknown[][] = [[], []]
  const expected = await build(whole ?? []).run([train({ epochs: 3 })], { outDir })
  // Saved in the middle of the second epoch, where the process ends.
  const dying = build(parted ?? [])
  dying.events.on('iterationEnd', async ({ epochSteps }) => {
    if (parted?.length !== 6 || epochSteps !== 2) return
    await dying.saveCheckpoint({ to: `${outDir}/middle` })
    throw new Error('killed')
  })
  await t.throwsAsync(dying.run([train({ epochs: 3 })], { outDir }), { message: 'killed' })
  const resumed = await build(parted ?? []).run([train({ epochs: 3 })], { outDir, resumeFrom: `${outDir}/middle` })
  t.is(whole?.length, 12)
  t.deepEqual(parted, whole)
  t.deepEqual(resumed.metrics, expected.metrics)
  t.deepEqual(
    resumed.history.map(({ seconds: _, ...rest }) => rest),
    expected.history.map(({ seconds: _, ...rest }) => rest),
  )
})

test('B11: two functions among the resources stay two', async (t) => {
  const graph = new HyperGraph().add('A', new Node({ one: () => 1, two: () => 2, forward: (n) => [n.one(), n.two()] }))
  t.deepEqual((await graph.step()).A, [1, 2])
})

test('B12: accumulation with a parameter that the loss does not use: the others are updated, that one stays', async (t) => {
  const module = new Weights()
  const graph = new HyperGraph()
    .accumulate(2)
    .add('net', new ModuleNode({ module, optimizers: optim.adamW({ lr: 0.1, weightDecay: 0 }), forward: (n) => n.module.a.sum() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
  await graph.step({ steps: 2 })
  t.true(module.a.itemSync() < 0.9)
  t.is(module.b.itemSync(), 1)
})

test('B13: repeat counts epochs as epochs and steps as steps', async (t) => {
  const tasks = [repeat(2, [repeat(2, [train({ epochs: 1 })]), train({ steps: 3 })])]
  const graph = new HyperGraph().add('data', new DatasetNode({ dataset: numbers(2) })).add('see', new Node({}))
  const done: (readonly number[])[] = []
  graph.events.on('taskEnd', ({ total, done: count }) => void done.push([total, count]))
  const { history } = await graph.run(tasks, { outDir: folder(t) })
  const round = [
    [1, 1],
    [1, 1],
    [3, 3],
  ]
  t.deepEqual(done, [...round, ...round])
  t.deepEqual(
    history.map(({ epoch, step }) => [epoch, step]),
    [
      [1, 2],
      [2, 4],
      [3, 9],
      [4, 11],
    ],
  )
})

test('B14: after an iteration that stopped between two losses, backward works on', async (t) => {
  const module = new Weights()
  let stopping = true
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module, optimizers: optim.sgd({ lr: 1 }), forward: (n) => n.module.a.sum() }))
    .add('first', new LossNode({ forward: (_, x) => x.net }))
    .add(
      'second',
      new LossNode({
        forward: (_, x): Tensor => {
          if (stopping) throw new StopTask()
          return x.net.mul(2)
        },
      }),
    )
  await graph.run([train({ steps: 5 }), call(() => void (stopping = false)), train({ steps: 2 })], { outDir: folder(t) })
  t.is(module.a.itemSync(), 1 - 2 * 3)
})

test.serial('B15: a loss is read from the device at the end of an epoch, not in each iteration', async (t) => {
  const log: string[] = []
  const stop = noteReads(() => log.push('read'))
  t.teardown(stop)
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(4) }))
    .add('net', new ModuleNode({ module: new Weights(), optimizers: optim.sgd({ lr: 0.1 }), forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ weight: 2, forward: (_, x) => x.net.mul(1) }))
    .add('end', new Node({ update: () => void log.push('iteration'), epochEnd: () => void log.push('epoch') }))
  await graph.run([train({ epochs: 2 })], { outDir: folder(t) })
  const epoch = ['iteration', 'iteration', 'iteration', 'iteration', 'read', 'epoch']
  t.deepEqual(log, [...epoch, ...epoch])
})

test('B15: a node that replaces another, and nodes added later, are seen by every query that was made before', async (t) => {
  const graph = new HyperGraph().add('a', new Node({ forward: () => 'default' })).add('b', new Node({ forward: (_, x) => x.a }))
  t.is((await graph.step({ tags: 'x' })).b, 'default')
  graph.add('a', new Node({ forward: () => 'specific' }), { tags: 'x' })
  t.is((await graph.step({ tags: 'x' })).b, 'specific')
  t.is((await graph.step({ tags: 'y' })).b, 'default')
  graph.remove('x/a')
  t.is((await graph.step({ tags: 'x' })).b, 'default')
})
