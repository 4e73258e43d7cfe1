// The best epoch of a run, and its checkpoint.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { meter, MetricNode, ModuleNode, type SaveBestOptions } from '../../ts/graph/index.ts'
import { sgd } from '../../ts/optim/index.ts'
import { call, evaluate, HyperGraph, repeat, saveCheckpoint, StopAllTasks, task, type TaskLike, train } from '../../ts/index.ts'
import { folder, Weights } from './toys.ts'

/** A graph whose metric has these values, one an epoch of evaluation; it trains an iteration in each round. */
function watched(values: readonly number[], saveBest: SaveBestOptions) {
  let at = 0
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module: new Weights(), optimizers: sgd({ lr: 0.1 }), forward: (n) => n.module.forward() }))
    .add('loss', new MetricNode({ meter: meter.value(), forward: (n) => [n.training ? -100 : (values[at++] ?? NaN)], saveBest }))
  const round: TaskLike[] = [train({ steps: 1 }), task({ train: false, steps: 1, simulateEpoch: true })]
  const node = graph.get('loss')
  if (!(node instanceof MetricNode)) throw new Error('the node is a metric')
  return { graph, round, node }
}

const saved = (outDir: string): string[] => readdirSync(join(outDir, 'ckpts')).toSorted()

/** The checkpoints that stay of evaluations with these values. */
async function kept(t: ExecutionContext, values: readonly number[], saveBest: SaveBestOptions): Promise<string[]> {
  const { graph, round } = watched(values, saveBest)
  const { outDir } = await graph.run([repeat(values.length, round)], { outDir: folder(t) })
  return saved(outDir)
}

test('the run is saved whenever the value is better than all before it; the others go', async (t) => {
  t.deepEqual(await kept(t, [3, 2, 4, 1, 5], { mode: 'min' }), ['E0S4_loss_1.safetensors'])
  t.deepEqual(await kept(t, [3, 2, 4, 1, 5], { mode: 'max' }), ['E0S5_loss_5.safetensors'])
  t.deepEqual(await kept(t, [3, 2, 4, 1, 5], { mode: 'min', keep: 2 }), ['E0S2_loss_2.safetensors', 'E0S4_loss_1.safetensors'])
})

test('equal is not better, and NaN is never the best', async (t) => {
  t.deepEqual(await kept(t, [NaN, 2, 2, NaN], { mode: 'max' }), ['E0S2_loss_2.safetensors'])
  t.deepEqual(await kept(t, [NaN, NaN], { mode: 'max' }), [])
  t.deepEqual(await kept(t, [-Infinity], { mode: 'max' }), ['E0S1_loss_-Infinity.safetensors'])
})

test('epochs of the other mode do not count; the first would be the smallest', async (t) => {
  t.deepEqual(await kept(t, [3], { mode: 'min' }), ['E0S1_loss_3.safetensors'])
  const { graph } = watched([3], { mode: 'min', on: 'train' })
  const { outDir } = await graph.run([task({ train: true, steps: 1, simulateEpoch: true }), evaluate({ steps: 1, simulateEpoch: true })], {
    outDir: folder(t),
  })
  t.deepEqual(saved(outDir), ['E1S1_loss_-100.safetensors'])
})

test('a number of a record is named by its keys', async (t) => {
  const run = (saveBest: SaveBestOptions) =>
    new HyperGraph()
      .add(
        'scores',
        new MetricNode({
          meter: meter.dict({ best: meter.value(), other: meter.dict({ deep: meter.value() }) }),
          forward: (n) => [{ best: [2 + n.globalTrainSteps], other: [{ deep: [3] }] }],
          saveBest,
        }),
      )
      .run([evaluate({ steps: 1, simulateEpoch: true })], { outDir: folder(t) })
  t.deepEqual(saved((await run({ mode: 'max', metric: 'other/deep' })).outDir), ['E0S0_scores.other-deep_3.safetensors'])
  await t.throwsAsync(run({ mode: 'max', metric: 'bets' }), {
    code: 'argument',
    message: /no number 'bets' in what the meter of 'scores' gives; did you mean 'best'\?; \{ metric \} may be best, other\/deep/,
  })
  await t.throwsAsync(run({ mode: 'max' }), {
    code: 'argument',
    message: /the meter of 'scores' gives no number; \{ metric \} may be best, other\/deep/,
  })
})

test('the record is part of the state: a resumed run goes on as the other would have', async (t) => {
  const values = [3, 2, 4, 1, 5]
  const stopAfter = (rounds: number) => {
    let left = rounds
    return call(() => {
      if (--left === 0) throw new StopAllTasks()
    })
  }
  const idle = call(() => {})
  const first = watched(values, { mode: 'min', keep: 2 })
  const { outDir } = await first.graph.run([repeat(5, [...first.round, saveCheckpoint(), stopAfter(2)])], { outDir: folder(t) })
  t.deepEqual(saved(outDir), ['E0S1_loss_3.safetensors', 'E0S1.safetensors', 'E0S2_loss_2.safetensors', 'E0S2.safetensors'].toSorted())
  const second = watched(values.slice(2), { mode: 'min', keep: 2 })
  const result = await second.graph.run([repeat(5, [...second.round, saveCheckpoint(), idle])], { outDir: folder(t), resumeFrom: outDir })
  t.deepEqual(second.node.best, { value: 1, epoch: 0, step: 4 })
  t.deepEqual(
    saved(result.outDir).filter((name) => name.includes('loss')),
    ['E0S4_loss_1.safetensors'],
  )
})

test('the checkpoint of the best epoch is one to go on from: it holds the epoch, its record and its place', async (t) => {
  const first = watched([3, 2, 4], { mode: 'min' })
  const whole = await first.graph.run([repeat(3, first.round)], { outDir: folder(t) })
  const second = watched([4], { mode: 'min' })
  const [path = ''] = saved(whole.outDir)
  const { history } = await second.graph.run([repeat(3, second.round)], {
    outDir: folder(t),
    resumeFrom: join(whole.outDir, 'ckpts', path),
  })
  const timeless = (records: typeof history) => records.map(({ seconds: _, ...record }) => record)
  t.deepEqual(timeless(history), timeless(whole.history))
  t.deepEqual(second.node.best, { value: 2, epoch: 0, step: 2 })
})

test('options that cannot be meant are refused', (t) => {
  const make = (saveBest: object) => () => Reflect.construct(MetricNode, [{ meter: meter.value(), saveBest }])
  t.throws(make({}), { code: 'argument', message: /saveBest: mode 'undefined', expected 'max' or 'min'/ })
  t.throws(make({ mode: 'max', keep: 0 }), { code: 'argument', message: /saveBest: keep 0, expected a whole number from 1/ })
  t.throws(make({ mode: 'max', on: 'both' }), { code: 'argument', message: /saveBest: on 'both', expected 'eval' or 'train'/ })
  t.throws(make({ mode: 'max', metrics: 'a' }), { code: 'argument', message: /metrics/ })
})
