import { stripVTControlCharacters } from 'node:util'
import test from 'ava'
import type { EpochRecord } from '../../ts/graph/index.ts'
import { DatasetNode, LossNode, meter, MetricNode, ModuleNode } from '../../ts/graph/index.ts'
import { chart, epochLine, epochLog } from '../../ts/observe/index.ts'
import { sgd } from '../../ts/optim/index.ts'
import { evaluate, HyperGraph, repeat, train } from '../../ts/run/index.ts'
import { folder, numbers, Weights } from '../graph/toys.ts'

const record: EpochRecord = {
  label: 'train by epochs, tags *',
  training: true,
  tags: ['*'],
  epoch: 3,
  step: 30,
  iterations: 10,
  samples: 12_000,
  seconds: 2,
  metrics: { loss: 0.123456, tiny: 0.00001234, table: [[1, 2]], several: { a: 1, b: 2000 } },
}

test('a line an epoch: mode, epoch, values, samples per second, seconds', (t) => {
  t.is(
    stripVTControlCharacters(epochLine(record)),
    'train  epoch 3  loss 0.1235  tiny 0.00001234  several/a 1.0000  several/b 2000  6,000 samples/s  2.0 s',
  )
  t.is(
    stripVTControlCharacters(epochLine({ ...record, training: false, samples: 0, metrics: { accuracy: 0.5 } })),
    'eval   epoch 3  accuracy 0.5000  2.0 s',
  )
})

test('epochLog says why something was stopped early', async (t) => {
  const lines: string[] = []
  const graph = new HyperGraph()
    .add('score', new MetricNode({ meter: meter.value(), forward: (n) => [n.globalAutoSteps], earlyStop: { mode: 'min', patience: 1 } }))
    .observe(epochLog((line) => void lines.push(stripVTControlCharacters(line))))
  await graph.run([repeat(5, [evaluate({ steps: 1, simulateEpoch: true })])], { outDir: folder(t) })
  t.is(lines.at(-1), 'stop   score 2 is not below 1 (epoch 0, step 0), 1 epoch in a row; this ends: repeat')
})

test('epochLog prints what trains, then the lines', async (t) => {
  const lines: string[] = []
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(2) }))
    .add('net', new ModuleNode({ module: new Weights(), optimizers: sgd({ lr: 0.1 }), forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
    .observe(epochLog((line) => void lines.push(stripVTControlCharacters(line))))
  await graph.run([train({ epochs: 2 }), evaluate({ epochs: 1 })], { outDir: folder(t) })
  t.regex(lines[0] ?? '', /^net\npattern +tensors.*\n\.\* +2 +2 +sgd +0\.1/)
  t.deepEqual(
    lines.slice(1).map((line) => line.replace(/ {2}[\d,]+ samples.*/, '')),
    ['train  epoch 1  loss 0.9050', 'train  epoch 2  loss 0.5938', 'eval   epoch 2  loss 0.4305'],
  )
})

test('chart draws a curve, averaging what is wider', (t) => {
  const falling = Array.from({ length: 200 }, (_, i) => 1 - i / 200)
  const lines = chart(falling, { height: 4, width: 20 }).split('\n')
  t.is(lines.length, 5)
  t.true(lines.every((line) => line.length <= 9 + 3 + 20))
  t.regex(lines[0] ?? '', /0\.978/)
  const tenths = [1, 0.1, 0.01].map((value) => chart([1, value, value ** 2], { height: 2, log: true }).split('\n').length)
  t.deepEqual(tenths, [1, 3, 3], 'equal ratios are equal heights')
  t.throws(() => chart([0], { log: true }), { code: 'argument', message: /above 0, got 0/ })
  t.throws(() => chart([]), { code: 'argument', message: /got none/ })
  t.throws(() => chart([1, NaN]), { code: 'argument', message: /got 1, NaN/ })
})
