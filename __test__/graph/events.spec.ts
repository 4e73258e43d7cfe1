import test from 'ava'
import { DatasetNode, EventHub, type GraphEvents, Node } from '../../ts/graph/index.ts'
import { evaluate, HyperGraph, saveCheckpoint, train } from '../../ts/run/index.ts'
import { folder, numbers } from './toys.ts'

const kinds: readonly (keyof GraphEvents)[] = [
  'runStart',
  'runEnd',
  'taskStart',
  'taskEnd',
  'epochStart',
  'epochEnd',
  'iterationStart',
  'iterationEnd',
  'checkpointSaved',
]

test('the events of a run, in order', async (t) => {
  const graph = new HyperGraph().add('data', new DatasetNode({ dataset: numbers(2) }))
  const log: string[] = []
  for (const kind of kinds) graph.events.on(kind, () => void log.push(kind))
  await graph.run([train({ epochs: 1 }), saveCheckpoint(), evaluate({ steps: 1 })], { outDir: folder(t) })
  const iteration = ['iterationStart', 'iterationEnd']
  t.deepEqual(log, [
    'runStart',
    'taskStart',
    'epochStart',
    ...iteration,
    ...iteration,
    'epochEnd',
    'taskEnd',
    'checkpointSaved',
    'taskStart',
    ...iteration,
    'taskEnd',
    'runEnd',
  ])
})

test('what events carry', async (t) => {
  const outDir = folder(t)
  const graph = new HyperGraph().add('data', new DatasetNode({ dataset: numbers(2) }))
  const seen: Partial<{ [Kind in keyof GraphEvents]: unknown }> = {}
  for (const kind of kinds) graph.events.on(kind, (payload) => void (seen[kind] = payload))
  const result = await graph.run([train({ epochs: 1, tags: 'x' }), saveCheckpoint()], { outDir, seed: 5 })
  t.like(seen.runStart, { seed: 5, device: 'cpu', outDir: result.outDir })
  t.like(seen.taskStart, { label: 'train by epochs, tags x', training: true, total: 1, epochSize: 2 })
  t.like(seen.epochEnd, { training: true, tags: ['x'], epoch: 1, step: 2, iterations: 2, samples: 2, metrics: {} })
  t.regex(String(Object(seen.checkpointSaved).path), /ckpts.E1S2\.safetensors$/)
})

test('async listeners are waited for between iterations', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph().add('A', new Node({ forward: () => log.push('forward') }))
  graph.events.on('iterationEnd', async () => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    log.push('listener')
  })
  await graph.run([train({ steps: 2 })], { outDir: folder(t) })
  t.deepEqual(log, ['forward', 'listener', 'forward', 'listener'])
})

test('a listener that fails ends the run; runEnd tells the error', async (t) => {
  const graph = new HyperGraph().add('A', new Node({}))
  const off = graph.events.on('iterationEnd', async () => {
    throw new Error('listener')
  })
  const errors: unknown[] = []
  graph.events.on('runEnd', ({ error }) => void errors.push(error instanceof Error ? error.message : error))
  await t.throwsAsync(graph.run([train({ steps: 2 })], { outDir: folder(t) }), { message: 'listener' })
  off()
  await graph.run([train({ steps: 2 })], { outDir: folder(t) })
  t.deepEqual(errors, ['listener', undefined])
})

test('nothing is made for nobody', (t) => {
  const hub = new EventHub()
  hub.emit('checkpointLoaded', () => t.fail())
  const off = hub.on('checkpointLoaded', ({ path }) => void t.is(path, 'x'))
  hub.emit('checkpointLoaded', () => ({ path: 'x' }))
  off()
  hub.emit('checkpointLoaded', () => t.fail())
  t.is(hub.settle(), undefined)
})
