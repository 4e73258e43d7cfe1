// Patience with a metric, and what ends when it is used up.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { DatasetNode, type EarlyStopOptions, meter, MetricNode, Node } from '../../ts/graph/index.ts'
import { call, evaluate, HyperGraph, repeat, type RunOptions, saveCheckpoint, task, type TaskLike, train } from '../../ts/run/index.ts'
import { folder, numbers } from './toys.ts'

const evaluation = evaluate({ steps: 1, simulateEpoch: true })
const epoch = task({ train: true, steps: 1, simulateEpoch: true })
const round = [train({ steps: 1 }), evaluation]

/** A graph whose metric has these values, one an epoch of evaluation; in training it is the iteration. */
function watched(values: readonly number[], earlyStop: EarlyStopOptions) {
  const log: string[] = []
  let at = 0
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(1) }))
    .add(
      'score',
      new MetricNode({ meter: meter.value(), forward: (n) => [n.training ? n.globalTrainSteps : (values[at++] ?? NaN)], earlyStop }),
    )
    .add('log', new Node({ update: (n) => void log.push(n.training ? 'train' : 'eval') }))
  graph.events.on('earlyStop', ({ ended }) => void log.push(`ends ${ended}`))
  const say = (word: string) => call(() => void log.push(word))
  const run = (tasks: readonly TaskLike[], outDir: string, options: RunOptions = {}) => graph.run(tasks, { outDir, ...options })
  return { graph, log, say, run }
}

/** How many evaluations there are of a repeat that never ends by itself, for these values. */
async function rounds(t: ExecutionContext, values: readonly number[], earlyStop: EarlyStopOptions): Promise<number> {
  const { run } = watched(values, earlyStop)
  return (await run([repeat(20, round)], folder(t))).history.length
}

test('the work ends after so many epochs in a row without an improvement', async (t) => {
  t.is(await rounds(t, [3, 2, 2, 2, 2], { mode: 'min', patience: 2 }), 4)
  t.is(await rounds(t, [3, 2, 2, 1, 1, 1, 1], { mode: 'min', patience: 2 }), 6)
  t.is(await rounds(t, [3, 4, 5, 4, 5], { mode: 'max', patience: 2 }), 5)
  t.is(await rounds(t, [1, 1], { mode: 'max', patience: 1 }), 2)
})

test('an improvement is larger than minDelta; what is not counts from the best before it', async (t) => {
  t.is(await rounds(t, [3, 2.75, 2.5, 2.25], { mode: 'min', patience: 2, minDelta: 0.5 }), 3)
  t.is(await rounds(t, [3, 2.75, 2.25, 2, 1.75], { mode: 'min', patience: 2, minDelta: 0.5 }), 5)
  t.is(await rounds(t, [1, 1.5, 2], { mode: 'max', patience: 1, minDelta: 0.5 }), 2)
})

test('NaN is no improvement, and no best value', async (t) => {
  t.is(await rounds(t, [NaN, NaN, 1], { mode: 'min', patience: 2 }), 2)
  t.is(await rounds(t, [NaN, 2, NaN, 1, NaN, NaN], { mode: 'min', patience: 2 }), 6)
})

test('within `every` it ends the training around, whose epoch ends; what comes after goes on', async (t) => {
  const { log, say, run } = watched([1, 1, 1], { mode: 'min', patience: 1 })
  const every = { steps: 2, tasks: [evaluation, say('after')] }
  const { stopped, history, earlyStops } = await run([repeat(2, [train({ steps: 9, simulateEpoch: true, every }), say('next')])], folder(t))
  const training = 'train by steps, tags *'
  const one = ['train', 'train', 'eval', 'after', 'train', 'train', 'eval', `ends ${training}`, 'next']
  t.deepEqual(log.slice(0, one.length), one)
  t.is(stopped, null)
  t.deepEqual(
    history.slice(0, 3).map(({ training: mode, iterations }) => [mode, iterations]),
    [
      [false, 1],
      [false, 1],
      [true, 4],
    ],
  )
  t.deepEqual(
    earlyStops.map(({ ended }) => ended),
    [training, training],
  )
})

test('in a repeat it ends the innermost; each round of what is around begins anew', async (t) => {
  const { log, say, run } = watched([1, 1, 9, 9], { mode: 'min', patience: 1 })
  const { stopped } = await run([repeat(2, [repeat(9, [evaluation, say('after')]), say('next')]), say('last')], folder(t))
  const inner = ['eval', 'after', 'eval', 'ends repeat', 'next']
  t.deepEqual(log, [...inner, ...inner, 'last'])
  t.is(stopped, null)
})

test('a task of several epochs ends itself; one of a single epoch ends the repeat', async (t) => {
  const options = { mode: 'min', patience: 2, on: 'train' } as const
  const first = watched([], options)
  await first.run([train({ epochs: 9 }), first.say('next')], folder(t))
  t.deepEqual(first.log, ['train', 'train', 'train', 'ends train by epochs, tags *', 'next'])
  const second = watched([], options)
  await second.run([repeat(9, [epoch]), second.say('next')], folder(t))
  t.deepEqual(second.log, ['train', 'train', 'train', 'ends repeat', 'next'])
})

test('where nothing is repeated it ends the run, which says so', async (t) => {
  const { log, say, run } = watched([1, 1], { mode: 'max', patience: 1 })
  const { stopped } = await run([evaluation, evaluation, say('never')], folder(t))
  t.deepEqual(log, ['eval', 'eval', 'ends run'])
  t.deepEqual(stopped, { by: 'earlyStop', checkpoint: null })
})

test('an evaluation after the work that was ended does not end anything, whatever it finds', async (t) => {
  const { log, say, run } = watched([1, 1, 5, 5], { mode: 'min', patience: 1 })
  await run([repeat(9, [evaluation]), evaluation, saveCheckpoint(), say('end')], folder(t))
  t.deepEqual(log, ['eval', 'eval', 'ends repeat', 'eval', 'end'])
})

test('nodes of both levels count for themselves', async (t) => {
  const { log, run } = watched([5, 6, 5, 7, 8, 5, 9, 9, 5], { mode: 'min', patience: 2 })
  await run([repeat(9, [repeat(2, [evaluation]), evaluation])], folder(t))
  // The outer one sees 5 three times; the inner one, anew in each round, a pair.
  t.deepEqual(log, [...Array<string>(9).fill('eval'), 'ends repeat'])
})

test('the result and the event say what was watched, its last and its best value, and when', async (t) => {
  const { graph, run } = watched([3, 2, 2.5, NaN], { mode: 'min', patience: 2, minDelta: 0.25 })
  const events: unknown[] = []
  graph.events.on('earlyStop', (stop) => void events.push(stop))
  const { earlyStops } = await run([repeat(9, round)], folder(t))
  const best = { value: 2, epoch: 0, step: 2 }
  const expected = {
    node: 'score',
    metric: 'score',
    mode: 'min',
    value: NaN,
    best,
    patience: 2,
    minDelta: 0.25,
    ended: 'repeat',
    epoch: 0,
    step: 4,
  }
  t.deepEqual(events, [expected])
  t.deepEqual(earlyStops, [expected])
})

test('saved just before the stop, and anywhere else, a resumed run stops where the other did', async (t) => {
  const values = [3, 2, 2, 1, 1, 1, 7, 7]
  const options = { mode: 'min', patience: 2 } as const
  const outDir = folder(t)
  const tasks = (say: (word: string) => TaskLike) => [repeat(9, [...round, saveCheckpoint(), say('round')]), evaluation, say('end')]
  const make = (from: number) => {
    const made = watched(values.slice(from), options)
    return { ...made, tasks: tasks(made.say) }
  }
  const first = make(0)
  const saves: { path: string; evals: number; at: number }[] = []
  // The event comes once; whether before a save at the end of the epoch or after it, is not what is meant here.
  const done = (log: readonly string[]) => log.filter((word) => !word.startsWith('ends'))
  const count = () => first.log.filter((word) => word === 'eval').length
  let saved = 0
  for (const kind of ['iterationEnd', 'epochEnd', 'earlyStop', 'taskEnd', 'checkpointSaved'] as const) {
    first.graph.events.on(kind, async (payload: object) => {
      if ('path' in payload && String(payload.path).startsWith(join(outDir, 'at'))) return
      const [evals, at] = [count(), first.log.length]
      saves.push({ path: await first.graph.saveCheckpoint({ to: join(outDir, `at${saved++}.safetensors`) }), evals, at })
    })
  }
  const whole = await first.run(first.tasks, outDir)
  t.is(first.log.filter((word) => word === 'ends repeat').length, 1)
  t.true(first.log.join(' ').endsWith('eval ends repeat eval end'))
  for (const { path, evals, at } of saves) {
    const { log, run, tasks: again } = make(evals)
    const { earlyStops, history } = await run(again, outDir, { resumeFrom: path })
    t.deepEqual(done(log), done(first.log.slice(at)), path)
    t.deepEqual(earlyStops, whole.earlyStops, path)
    t.is(history.length, whole.history.length, path)
  }
})

test('a number that the meter does not give is an error that names the nearest', async (t) => {
  const run = (metric?: string) =>
    new HyperGraph()
      .add(
        'scores',
        new MetricNode({
          meter: meter.dict({ accuracy: meter.value(), other: meter.dict({ deep: meter.value() }) }),
          forward: () => [{ accuracy: [2], other: [{ deep: [3] }] }],
          earlyStop: { mode: 'max', patience: 1, ...(metric !== undefined && { metric }) },
        }),
      )
      .run([evaluation], { outDir: folder(t) })
  await t.notThrowsAsync(run('other/deep'))
  await t.throwsAsync(run('acuracy'), {
    code: 'argument',
    message:
      /earlyStop: no number 'acuracy' in what the meter of 'scores' gives; did you mean 'accuracy'\?; \{ metric \} may be accuracy, other\/deep/,
  })
  await t.throwsAsync(run(), { code: 'argument', message: /the meter of 'scores' gives no number/ })
})

test('options that cannot be meant are refused', (t) => {
  const make = (earlyStop: object) => () => Reflect.construct(MetricNode, [{ meter: meter.value(), earlyStop }])
  t.throws(make({ mode: 'best', patience: 1 }), { code: 'argument', message: /earlyStop: mode 'best', expected 'max' or 'min'/ })
  t.throws(make({ mode: 'max' }), { code: 'argument', message: /earlyStop: patience undefined, expected a whole number from 1/ })
  t.throws(make({ mode: 'max', patience: 1, minDelta: -1 }), { code: 'argument', message: /minDelta -1, expected a number from 0 on/ })
  t.throws(make({ mode: 'max', patience: 1, delta: 1 }), { code: 'argument', message: /unknown option 'delta'/ })
})
