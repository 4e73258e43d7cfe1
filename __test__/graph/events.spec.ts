import test from 'ava'
import { DatasetNode, EventHub, type GraphEvents, Node, StopTask } from '../../ts/graph/index.ts'
import { evaluate, HyperGraph, repeat, saveCheckpoint, train } from '../../ts/run/index.ts'
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
  await graph.run([train({ epochs: 1 }), evaluate({ steps: 1 }), saveCheckpoint()], { outDir: folder(t) })
  const iteration = ['iterationStart', 'iterationEnd']
  t.deepEqual(log, [
    'runStart',
    'taskStart',
    'epochStart',
    ...iteration,
    ...iteration,
    'epochEnd',
    'taskEnd',
    'taskStart',
    ...iteration,
    'taskEnd',
    'checkpointSaved',
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

test('a task knows the rounds around it, its samples, and where training stands', async (t) => {
  const graph = new HyperGraph().add('data', new DatasetNode({ dataset: numbers(3), batchSize: 2 }))
  const rounds: string[] = []
  const places: number[][] = []
  graph.events.on('taskStart', (task) => void rounds.push(task.rounds.map(({ round, times }) => `${round}/${times}`).join(' ')))
  graph.events.on('iterationEnd', ({ samples, trainSteps, trainEpochs }) => void places.push([samples, trainSteps, trainEpochs]))
  const inner = repeat(2, [train({ epochs: 1 })])
  await graph.run([train({ steps: 1 }), repeat(2, [evaluate({ epochs: 1 }), inner])], { outDir: folder(t) })
  t.deepEqual(rounds, ['', '1/2', '1/2 1/2', '1/2 2/2', '2/2', '2/2 1/2', '2/2 2/2'])
  t.deepEqual(places.slice(0, 5), [
    [2, 1, 0],
    [2, 1, 0],
    [3, 1, 0],
    [2, 2, 0],
    [3, 3, 0],
  ])
})

test('a stop from a listener to the end of a task ends no more than that task', async (t) => {
  const graph = new HyperGraph().add('A', new Node({}))
  const log: string[] = []
  graph.events.on('taskEnd', async ({ label }) => {
    log.push(label)
    throw new StopTask('enough')
  })
  await graph.run([train({ steps: 1 }), evaluate({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(log, ['train by steps, tags *', 'evaluate by steps, tags *'])
})
