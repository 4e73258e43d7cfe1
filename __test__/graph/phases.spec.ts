import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { DatasetNode, LossNode, meter, MetricNode, ModuleNode, Node, StopTask } from '../../ts/graph/index.ts'
import { F, Linear } from '../../ts/nn/index.ts'
import { adamW } from '../../ts/optim/index.ts'
import { call, evaluate, HyperGraph, task, train } from '../../ts/run/index.ts'
import { memory, ones, type Tensor } from '../../ts/tensor/index.ts'
import { folder, hooks, logged, numbers } from './toys.ts'

test('each phase completes on all nodes before the next; evaluation has no backward', async (t) => {
  const log: string[] = []
  const graph = logged(log, 'A', 'B')
  await graph.run([task({ train: true, steps: 1, simulateEpoch: true }), evaluate({ steps: 1 })], { outDir: folder(t) })
  const phases = (...events: string[]): string[] => events.flatMap((event) => [`A.${event}`, `B.${event}`])
  t.deepEqual(log, [
    ...phases('prepare', 'epochStart', 'forward', 'backward', 'update', 'epochEnd'),
    ...phases('prepare', 'forward', 'update', 'cleanUp'),
  ])
})

test('epochs: each calls epochStart, its iterations, epochEnd; prepare and cleanUp come once', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph().add('data', new DatasetNode({ dataset: numbers(4), batchSize: 2 })).add('A', new Node(hooks(log, 'A')))
  await graph.run([train({ epochs: 2 })], { outDir: folder(t) })
  const iteration = ['A.forward', 'A.backward', 'A.update']
  const epoch = ['A.epochStart', ...iteration, ...iteration, 'A.epochEnd']
  t.deepEqual(log, ['A.prepare', ...epoch, ...epoch, 'A.cleanUp'])
})

test('B4: prepare depends on graph and mode, so a mode or graph that comes back is prepared again', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph()
    .add('A', new Node({ prepare: (n) => void log.push(`A ${n.training}`), forward: () => 1 }), { tags: 'a' })
    .add('B', new Node({ prepare: (n) => void log.push(`B ${n.training}`), forward: () => 1 }), { tags: 'b' })
  const tasks = [train({ steps: 1, tags: 'a' }), train({ steps: 1, tags: 'a' }), evaluate({ steps: 1, tags: 'a' })]
  await graph.run([...tasks, train({ steps: 1, tags: 'b' }), evaluate({ steps: 1, tags: 'a' })], { outDir: folder(t) })
  t.deepEqual(log, ['A true', 'A false', 'B true', 'A false'])
})

test('an iteration begins when every node is ready, and is not held up by those that are', async (t) => {
  const log: string[] = []
  class Late extends Node {
    override ready(): Promise<void> | undefined {
      log.push('asked')
      return log.length === 1 ? sleep(5).then(() => void log.push('ready')) : undefined
    }
    override forwardImpl(): undefined {
      log.push('forward')
    }
  }
  await new HyperGraph().add('late', new Late({})).run([train({ steps: 2 })], { outDir: folder(t) })
  t.deepEqual(log, ['asked', 'ready', 'forward', 'asked', 'forward'])
})

test('what keeps a node from being ready is told with its name', async (t) => {
  class Broken extends Node {
    override ready(): Promise<void> {
      return Promise.reject(new Error('no file'))
    }
  }
  const graph = new HyperGraph().add('broken', new Broken({}))
  await t.throwsAsync(graph.run([train({ steps: 1 })], { outDir: folder(t) }), {
    code: 'graph',
    message: /node 'broken' in forward of 'train by steps.*no file/,
  })
})

test('hooks that may be async are waited for', async (t) => {
  const log: string[] = []
  const later = (word: string) => async () => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    log.push(word)
  }
  const graph = new HyperGraph().add(
    'A',
    new Node({
      prepare: later('prepare'),
      epochStart: later('start'),
      epochEnd: later('end'),
      cleanUp: later('clean'),
      forward: () => log.push('forward'),
    }),
  )
  await graph.run([train({ steps: 1, simulateEpoch: true })], { outDir: folder(t) })
  t.deepEqual(log, ['prepare', 'start', 'forward', 'end', 'clean'])
})

for (const phase of ['forward', 'backward', 'update'] as const) {
  test(`${phase} may not be async`, async (t) => {
    const graph = new HyperGraph().add('A', new Node({ [phase]: async () => {} }))
    await t.throwsAsync(graph.step(), { code: 'graph', message: new RegExp(`node 'A' in ${phase}.*returned a promise`) })
  })
}

test('an error is told once, with node, phase and task, and the original as cause', async (t) => {
  const original = new TypeError('too many legs')
  const graph = new HyperGraph()
    .add(
      'inner',
      new Node({
        forward: (): number => {
          throw original
        },
      }),
    )
    .add('outer', new Node({ forward: (_, x) => x.inner }))
  const error = await t.throwsAsync(graph.run([train({ steps: 1, simulateEpoch: true })], { outDir: folder(t) }), { code: 'graph' })
  t.is(error?.message, "node 'inner' in forward of 'train by steps, tags *', iteration 0: too many legs")
  t.is(error?.cause, original)
})

test('an error keeps its code, and a failing hook names its event', async (t) => {
  const graph = new HyperGraph().add('sum', new Node({ forward: () => ones([2]).add(ones([3])) }))
  await t.throwsAsync(graph.step(), { code: 'shape', message: /^node 'sum' in forward/ })
  const failing = new HyperGraph().add(
    'A',
    new Node({
      epochEnd: () => {
        throw new Error('no')
      },
    }),
  )
  await t.throwsAsync(failing.run([train({ steps: 1, simulateEpoch: true })], { outDir: folder(t) }), { message: /^node 'A' in epochEnd/ })
})

test.serial('an iteration frees the tensors it made; step hands the last outputs out', async (t) => {
  const made: Tensor[] = []
  const graph = new HyperGraph().add(
    'A',
    new Node({
      forward: () => {
        made.push(ones([4]))
        return { pair: [made.at(-1), ones([2])] }
      },
    }),
  )
  const before = memory().handles
  await graph.run([train({ steps: 10 })], { outDir: folder(t) })
  t.true(made.every((tensor) => tensor.isDisposed))
  t.is(memory().handles, before)
  const { A } = await graph.step({ steps: 3 })
  t.deepEqual(
    A.pair.map((tensor) => tensor?.isDisposed),
    [false, false],
  )
  for (const tensor of A.pair) tensor?.dispose()
  t.is(memory().handles, before)
})

test.serial('memory is flat over the steps of a training', async (t) => {
  const outDir = folder(t)
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(8), batchSize: 2, shuffle: true }))
    .add(
      'net',
      new ModuleNode({ module: new Linear(1, 2), optimizers: adamW({ lr: 0.01 }), forward: (n, x) => n.module.forward(x.data.x) }),
    )
    .add('loss', new LossNode({ forward: (_, x) => F.crossEntropy(x.net, x.data.y) }))
    .add('accuracy', new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.data.y] }))
  const after: unknown[] = []
  graph.events.on('epochEnd', () => void after.push(memory()))
  await graph.run([train({ epochs: 100 })], { outDir })
  t.deepEqual(after.at(-1), after[0])
})

test('evaluation keeps no gradients', async (t) => {
  const w = ones([1], { requiresGrad: true })
  const seen: boolean[] = []
  const graph = new HyperGraph().add('A', new Node({ forward: () => void seen.push(w.mul(2).requiresGrad) }))
  await graph.run([train({ steps: 1 }), evaluate({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(seen, [true, false])
})

test('tasks run while timers do: the loop takes a breath now and then', async (t) => {
  let ticks = 0
  const timer = setInterval(() => ticks++, 10)
  const busy = (): void => {
    const end = performance.now() + 5
    while (performance.now() < end);
  }
  await new HyperGraph().add('A', new Node({ forward: busy })).run([train({ steps: 60 })], { outDir: folder(t) })
  clearInterval(timer)
  t.true(ticks >= 2, `${ticks} ticks`)
})

test('StopTask from a hook ends the task with epochEnd, and the next task follows', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph().add('data', new DatasetNode({ dataset: numbers(10) })).add(
    'A',
    new Node({
      forward: (n) => log.push(`${n.epochSteps}`),
      update: (n) => {
        if (n.training && n.epochSteps === 1) throw new StopTask('enough')
      },
      epochEnd: () => void log.push('end'),
    }),
  )
  await graph.run([train({ epochs: 5 }), call(() => void log.push('next'))], { outDir: folder(t) })
  t.deepEqual(log, ['0', '1', 'end', 'next'])
})

test('a stop in a late phase lets the other nodes finish; one in forward gives the iteration up', async (t) => {
  const log: string[] = []
  const steps: number[] = []
  for (const phase of ['forward', 'backward', 'update'] as const) {
    const graph = new HyperGraph()
      .add(
        'A',
        new Node({
          ...hooks(log, `${phase} A`),
          [phase]: () => {
            throw new StopTask()
          },
        }),
      )
      .add('B', new Node(hooks(log, `${phase} B`)))
    const done = graph.events.on('taskEnd', (task) => void steps.push(task.done))
    await graph.run([train({ steps: 3 })], { outDir: folder(t) })
    done()
  }
  t.deepEqual(
    log.filter((line) => !/prepare|cleanUp/.test(line)),
    [
      'backward A.forward',
      'backward B.forward',
      'backward B.backward',
      'backward A.update',
      'backward B.update',
      'update A.forward',
      'update B.forward',
      'update A.backward',
      'update B.backward',
      'update B.update',
    ],
  )
  t.deepEqual(steps, [0, 1, 1])
})
