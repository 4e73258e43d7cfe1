import test from 'ava'
import { DatasetNode, meter, MetricNode } from '../../ts/graph/index.ts'
import { evaluate, HyperGraph, task, train } from '../../ts/run/index.ts'
import { folder, numbers } from './toys.ts'

function counting() {
  return new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(4), batchSize: 2 }))
    .add('sum', new MetricNode({ meter: meter.sum(), forward: (_, x) => [x.data.x.sum()] }))
}

test('a metric is fed in every iteration and starts anew with each epoch', async (t) => {
  const { history, metrics } = await counting().run([train({ epochs: 2 }), evaluate({ epochs: 1 })], { outDir: folder(t) })
  t.deepEqual(
    history.map((epoch) => epoch.metrics),
    [{ sum: 6 }, { sum: 6 }, { sum: 6 }],
  )
  t.deepEqual(metrics, { train: { sum: 6 }, eval: { sum: 6 } })
})

test('its value is told as an event', async (t) => {
  const graph = counting()
  const seen: unknown[] = []
  graph.events.on('metric', (metric) => void seen.push(metric))
  await graph.run([train({ epochs: 1 })], { outDir: folder(t) })
  t.is(seen.length, 1)
  t.like(seen[0], { node: 'sum', name: 'sum', value: 6, training: true, tags: ['*'], step: 2 })
})

test('the hook comes after the value; a node may report others', async (t) => {
  const graph = new HyperGraph().add(
    'm',
    new MetricNode({
      meter: meter.average(),
      forward: (n) => [n.globalTrainSteps],
      epochEnd: async (n) => n.board.metric('twice', 2 * (await n.meter.evaluate())),
    }),
  )
  const { metrics } = await graph.run([task({ train: true, steps: 3, simulateEpoch: true })], { outDir: folder(t) })
  t.deepEqual(metrics.train, { m: 2, twice: 4 })
})

test('a task of steps leaves no record unless it simulates an epoch', async (t) => {
  const { history } = await counting().run([train({ steps: 3 })], { outDir: folder(t) })
  t.deepEqual(history, [])
})
