// Tasks in the middle of a training task: when they run, what they leave alone, and how a run goes on within them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { DatasetNode, meter, MetricNode, Node } from '../../ts/graph/index.ts'
import { call, evaluate, HyperGraph, repeat, saveCheckpoint, type TaskLike, train, type TrainOptions } from '../../ts/run/index.ts'
import { folder, hooks, numbers } from '../graph/toys.ts'
import { interrupted, type InterruptedOptions, type Trace } from './interrupted.ts'
import { bits, timeless } from './program.ts'

/** Iterations of training. */
const trained = (trace: Trace) => trace.filter((line) => line.startsWith('train'))

/** Checkpoints of the best training epochs. */
const best = (outDir: string) => readdirSync(join(outDir, 'ckpts')).filter((name) => name.includes('score'))

const cases: Record<string, { length: TrainOptions; every: number; options?: InterruptedOptions }> = {
  'by steps': { length: { steps: 14 }, every: 4 },
  'by steps, as one epoch': { length: { steps: 14, simulateEpoch: true }, every: 1 },
  'by epochs': { length: { epochs: 3 }, every: 4 },
  'in windows of the graph': { length: { epochs: 3 }, every: 2, options: { windows: 4 } },
  'in windows of an optimizer': { length: { epochs: 3 }, every: 1, options: { own: 4 } },
  'on the data of the evaluation': { length: { epochs: 3 }, every: 4, options: { shared: true } },
}

for (const [name, { length, every, options = {} }] of Object.entries(cases)) {
  test.serial(`training ${name} is bit-equal with evaluations in the middle: losses, weights, records, the best`, async (t) => {
    const run = async (tasks: readonly TaskLike[] | null) => {
      const { graph, trace, module } = interrupted(0, options)
      const middle = tasks === null ? {} : { every: { steps: every, tasks } }
      const result = await graph.run([train({ ...length, tags: 'train', ...middle })], { outDir: folder(t), seed: 7 })
      return { trace, bits: bits(module), history: timeless(result), best: best(result.outDir) }
    }
    const plain = await run(null)
    const watched = await run([evaluate({ epochs: 1, tags: 'val' }), evaluate({ steps: 2, tags: 'val' })])
    t.true(watched.trace.length > plain.trace.length + 5)
    t.deepEqual(trained(watched.trace), plain.trace)
    t.is(watched.bits, plain.bits)
    t.deepEqual(
      watched.history.filter(({ training }) => training),
      plain.history,
    )
    t.deepEqual(watched.best, plain.best)
  })
}

/** When the tasks in the middle run: `epochs:iterations of the epoch`, and the training iterations of the run. */
async function times(t: ExecutionContext, options: TrainOptions, every: number, { windows = 1, own = 1 } = {}) {
  const { graph } = interrupted(0, { windows, own })
  const seen: string[] = []
  const tasks = [call(() => void seen.push(`${epochs} ${iterations}`))]
  let [epochs, iterations] = [0, 0]
  graph.events.on('iterationEnd', () => void iterations++)
  graph.events.on('epochEnd', () => void epochs++)
  await graph.run([train({ ...options, tags: 'train', every: { steps: every, tasks } })], { outDir: folder(t) })
  return seen
}

test.serial('they run after every so many updates, also after the last one, and not once more at the end', async (t) => {
  t.deepEqual(await times(t, { steps: 9 }, 3), ['0 3', '0 6', '0 9'])
  t.deepEqual(await times(t, { steps: 8 }, 3), ['0 3', '0 6'])
  t.deepEqual(await times(t, { steps: 2 }, 3), [])
})

test.serial('an epoch that ends with the update that is due is ended first', async (t) => {
  t.deepEqual(await times(t, { epochs: 2 }, 3), ['0 3', '1 6', '1 9', '2 12'])
  t.deepEqual(await times(t, { steps: 6, simulateEpoch: true }, 3), ['0 3', '1 6'])
})

test.serial('updates are counted, not iterations; the partial window at the end of an epoch is one', async (t) => {
  t.deepEqual(await times(t, { steps: 4 }, 2, { windows: 3 }), ['0 6', '0 12'])
  // 6 iterations in windows of 4: updates after 4, 6, 10, 12.
  t.deepEqual(await times(t, { epochs: 2 }, 1, { windows: 4 }), ['0 4', '1 6', '1 10', '2 12'])
})

test.serial('they wait for the windows of all optimizers, and what has waited comes once', async (t) => {
  t.deepEqual(await times(t, { steps: 10 }, 3, { own: 4 }), ['0 4', '0 8', '0 10'])
  t.deepEqual(await times(t, { epochs: 2 }, 1, { own: 4 }), ['0 4', '1 6', '1 10', '2 12'])
})

test('events of nodes and of the run come in order; the module trains again afterwards', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(1) }), { tags: 'val' })
    .add('A', new Node(hooks(log, 'A')))
    .add('B', new Node(hooks(log, 'B')), { tags: 'train' })
  for (const kind of ['taskStart', 'taskEnd'] as const) graph.events.on(kind, ({ label }) => void log.push(`${kind} ${label}`))
  graph.events.on('epochStart', ({ label }) => void log.push(`epochStart ${label}`))
  graph.events.on('epochEnd', ({ label }) => void log.push(`epochEnd ${label}`))
  const every = { steps: 1, tasks: [evaluate({ epochs: 1, tags: 'val' }), call(() => void log.push('call'))] }
  await graph.run([train({ steps: 2, tags: 'train', simulateEpoch: true, every })], { outDir: folder(t) })
  const training = 'train by steps, tags train'
  const evaluation = 'evaluate by epochs, tags val'
  const both = (event: string) => [`A.${event}`, `B.${event}`]
  const iteration = [...both('forward'), ...both('backward'), ...both('update')]
  const middle = [
    'A.prepare',
    `taskStart ${evaluation}`,
    `epochStart ${evaluation}`,
    'A.epochStart',
    'A.forward',
    'A.update',
    'A.epochEnd',
    `epochEnd ${evaluation}`,
    `taskEnd ${evaluation}`,
    'call',
    ...both('prepare'),
  ]
  const begin = [...both('prepare'), `taskStart ${training}`, `epochStart ${training}`, ...both('epochStart')]
  const end = [...both('epochEnd'), `epochEnd ${training}`, ...middle, `taskEnd ${training}`, 'A.cleanUp', 'B.cleanUp']
  t.deepEqual(log, [...begin, ...iteration, ...middle, ...iteration, ...end])
})

test.serial('what nodes reported in the epoch before stays in its record', async (t) => {
  const graph = new HyperGraph()
    .add('once', new Node({ update: (n) => (n.epochSteps === 0 ? n.board.metric('first', n.training) : undefined) }))
    .add('sum', new MetricNode({ meter: meter.sum(), forward: (n) => [n.training ? 1 : 100] }))
  const every = { steps: 2, tasks: [evaluate({ steps: 1, simulateEpoch: true })] }
  const { history } = await graph.run([train({ steps: 5, simulateEpoch: true, every })], { outDir: folder(t) })
  t.deepEqual(
    history.map(({ metrics }) => metrics),
    [
      { first: false, sum: 100 },
      { first: false, sum: 100 },
      { first: true, sum: 5 },
    ],
  )
})

test.serial('they may be of any kind: repeats, training on other tags, and training with an every of its own', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph()
    .add('A', new Node({ update: () => void log.push('a') }), { tags: 'a' })
    .add('B', new Node({ update: () => void log.push('b') }), { tags: 'b' })
  const say = (word: string) => call(() => void log.push(word))
  const inner = train({ steps: 3, tags: 'b', every: { steps: 2, tasks: [say('inner')] } })
  await graph.run([train({ steps: 3, tags: 'a', every: { steps: 2, tasks: [inner, repeat(2, [say('again')])] } })], { outDir: folder(t) })
  t.deepEqual(log, ['a', 'a', 'b', 'b', 'inner', 'b', 'again', 'again', 'a'])
})

test('every is for training, and has steps and tasks', (t) => {
  const tasks = [saveCheckpoint()]
  const made = train({ steps: 3, every: { steps: 2, tasks } })
  t.deepEqual(made.every, { steps: 2, tasks })
  t.true(Object.isFrozen(made.every) && Object.isFrozen(made.every?.tasks))
  // @ts-expect-error evaluations make no updates
  t.throws(() => evaluate({ steps: 3, every: { steps: 2, tasks } }), { code: 'argument', message: /an evaluation makes none/ })
  t.throws(() => train({ steps: 3, every: { steps: 0, tasks } }), {
    code: 'argument',
    message: /every.steps 0, expected a whole number from 1/,
  })
  // @ts-expect-error no list
  t.throws(() => train({ steps: 3, every: { steps: 1 } }), { code: 'argument', message: /task: every/ })
  // @ts-expect-error unknown option
  t.throws(() => train({ steps: 3, every: { epochs: 1, tasks } }), { code: 'argument', message: /unknown option 'epochs'/ })
})
