// Metrics: meters over an epoch, their values told at its end, the best of them kept.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { HyperGraph, meter, MetricNode, repeat, task, tensor, train } from '../../ts/index.ts'
import { folder } from '../graph/toys.ts'

const epoch = (steps: number) => task({ train: false, steps, simulateEpoch: true })
const scores = tensor([
  [1, 0],
  [0, 1],
  [0, 1],
])
const labels = tensor([0, 0, 1], { dtype: 'int64' })

test('every meter starts anew with an epoch and is evaluated at its end', async (t) => {
  const meters = {
    value: meter.value(),
    sum: meter.sum(),
    average: meter.average(),
    movingAverage: meter.movingAverage(2),
    accuracy: meter.accuracy(),
    confusion: meter.confusion(2),
    f1: meter.f1({ classes: 2 }),
    perplexity: meter.perplexity(),
    error: meter.meanAbsoluteError(),
  }
  let at = 0
  const graph = new HyperGraph().add(
    'all',
    new MetricNode({
      meter: meter.dict(meters),
      forward: () => {
        const number = [1, 2, 6][at++ % 3] ?? 0
        const given = [number] as const
        const numbers = { value: given, sum: given, average: given, movingAverage: given, perplexity: [Math.log(number)] } as const
        const classes = { accuracy: [scores, labels], confusion: [scores, labels], f1: [scores, labels] } as const
        return [{ ...numbers, ...classes, error: [tensor(number), tensor(0)] }]
      },
    }),
  )
  const { history } = await graph.run([repeat(2, [epoch(3)])], { outDir: folder(t) })
  const expected = {
    value: 6,
    sum: 9,
    average: 3,
    movingAverage: 4,
    accuracy: 2 / 3,
    confusion: [
      [3, 3],
      [0, 3],
    ],
    f1: 2 / 3,
    perplexity: Math.cbrt(12),
    error: 3,
  }
  t.deepEqual(
    history.map(({ metrics }) => metrics['all']),
    [expected, expected],
  )
})

test('saveBest looks at the metric that is named, of several, and at evaluation alone', async (t) => {
  const values = [
    [3, 1],
    [2, 2],
    [1, 3],
  ]
  let at = 0
  const node = new MetricNode({
    meter: meter.dict({ loss: meter.value(), right: meter.value() }),
    saveBest: { metric: 'loss', mode: 'min', keep: 1 },
    forward: (n) => {
      const [loss = 0, right = 0] = n.training ? [-1, -1] : (values[at++] ?? [])
      return [{ loss: [loss] as const, right: [right] as const }]
    },
  })
  const training = task({ train: true, steps: 1, simulateEpoch: true })
  const { outDir } = await new HyperGraph().add('score', node).run([repeat(3, [training, epoch(1)])], { outDir: folder(t) })
  t.deepEqual([node.best?.value, node.best?.epoch], [1, 3])
  t.deepEqual(readdirSync(join(outDir, 'ckpts')), ['E3S3_score.loss_1.safetensors'])
})

test('saveBest keeps the checkpoints of the best epochs: improvements alone, never NaN, and the record survives a resume', async (t) => {
  const watched = (values: readonly number[], keep = 2) => {
    let at = 0
    const node = new MetricNode({
      meter: meter.value(),
      saveBest: { mode: 'max', keep },
      forward: (n) => [n.training ? 0 : (values[at++] ?? NaN)],
    })
    return { node, graph: new HyperGraph().add('score', node) }
  }
  const values = [NaN, 1, 1, 3, 2, 5]
  // An iteration of training gives every epoch a name of its own.
  const repeated = [repeat(6, [train({ steps: 1 }), epoch(1)])]
  const first = watched(values)
  const { outDir } = await first.graph.run(repeated, { outDir: folder(t) })
  const files = readdirSync(join(outDir, 'ckpts'))
  t.deepEqual(
    files.toSorted().map((file) => file.replace(/.*_score_/, 'score_')),
    ['score_3.safetensors', 'score_5.safetensors'],
  )
  t.is(first.node.best?.value, 5)
  const all = watched(values, 9)
  const { outDir: other } = await all.graph.run(repeated, { outDir: folder(t) })
  t.deepEqual(readdirSync(join(other, 'ckpts')).toSorted(), [
    'E0S2_score_1.safetensors',
    'E0S4_score_3.safetensors',
    'E0S6_score_5.safetensors',
  ])
  const second = watched([])
  await second.graph.run(repeated, {
    outDir: folder(t),
    resumeFrom: join(outDir, 'ckpts', files.find((file) => file.endsWith('_5.safetensors')) ?? ''),
  })
  t.is(second.node.best?.value, 5)
})
