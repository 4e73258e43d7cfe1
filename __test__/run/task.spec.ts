import test from 'ava'
import {
  call,
  evaluate,
  HyperGraph,
  loadCheckpoint,
  repeat,
  saveCheckpoint,
  StopAllTasks,
  type TaskLike,
  task,
  train,
} from '../../ts/index.ts'
import { Node } from '../../ts/graph/index.ts'
import { folder } from '../graph/toys.ts'

test('tasks are plain frozen data', (t) => {
  const expected = { kind: 'task', train: true, by: 'epochs', count: 3, tags: ['a', 'b'], simulateEpoch: false, every: null } as const
  t.deepEqual(train({ epochs: 3, tags: ['b', 'a'] }), expected)
  t.deepEqual(task({ train: false, steps: 2 }), { ...expected, train: false, by: 'steps', count: 2, tags: ['*'] })
  t.deepEqual(evaluate({ steps: 2 }), task({ train: false, steps: 2 }))
  t.deepEqual(saveCheckpoint(), { kind: 'saveCheckpoint', to: null, tags: ['*'], keep: null })
  t.deepEqual(loadCheckpoint({ from: 'x' }), { kind: 'loadCheckpoint', from: 'x', strict: false, tags: ['*'] })
  const all: TaskLike[] = [train({ epochs: 1 }), saveCheckpoint(), loadCheckpoint({ from: 'x' }), repeat(2, []), call(() => {})]
  t.true(all.every(Object.isFrozen))
  t.deepEqual(JSON.parse(JSON.stringify(all[0])), { ...all[0] })
})

test('wrong tasks are refused', (t) => {
  // @ts-expect-error both
  t.throws(() => train({ epochs: 1, steps: 2 }), { code: 'argument', message: /epochs 1 and steps 2, expected exactly one/ })
  // @ts-expect-error neither
  t.throws(() => train({}), { code: 'argument', message: /epochs undefined and steps undefined/ })
  for (const epochs of [0, -1, 1.5, NaN]) t.throws(() => train({ epochs }), { code: 'argument', message: /expected a whole number from 1/ })
  t.throws(() => repeat(0, []), { code: 'argument', message: /times 0/ })
  t.throws(() => train({ epochs: 1, simulateEpoch: true }), { code: 'argument', message: /simulateEpoch is for a task of steps/ })
  // @ts-expect-error unknown option
  t.throws(() => train({ epochs: 1, tag: 'x' }), { code: 'argument', message: /unknown option 'tag'/ })
})

function logging(log: string[]) {
  return new HyperGraph().add('A', new Node({ forward: (n) => log.push(n.training ? 'train' : 'eval') }))
}

test('repeat runs its tasks so many times, also nested', async (t) => {
  const log: string[] = []
  const say = (word: string) => call(() => void log.push(word))
  await logging(log).run([repeat(2, [say('a'), repeat(2, [say('b'), train({ steps: 1 })]), say('c')])], { outDir: folder(t) })
  const round = ['a', 'b', 'train', 'b', 'train', 'c']
  t.deepEqual(log, [...round, ...round])
})

test('call is waited for and gets the graph', async (t) => {
  const log: string[] = []
  const tasks = [
    call(async (graph) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      log.push(graph.get('A').name)
    }),
    train({ steps: 1 }),
    call((graph) => void log.push(graph.explain())),
  ]
  await logging(log).run(tasks, { outDir: folder(t) })
  t.deepEqual(log, ['', 'train', 'tags *: 1 node in order\n  A: Node, forward, reads nothing'])
})

test('StopAllTasks ends the run from a hook, a listener or a call', async (t) => {
  const outDir = folder(t)
  const never = call(() => t.fail())
  const stop = (): never => {
    throw new StopAllTasks('enough')
  }
  await new HyperGraph().add('A', new Node({ update: stop })).run([repeat(3, [train({ steps: 5 }), never])], { outDir })
  const graph = logging([])
  graph.events.on('iterationEnd', stop)
  await graph.run([train({ steps: 5 }), never], { outDir })
  await logging([]).run([call(stop), never], { outDir })
  t.pass()
})

test('a graph runs one list at a time', async (t) => {
  const graph = logging([])
  const outDir = folder(t)
  const first = graph.run([train({ steps: 1 })], { outDir })
  await t.throwsAsync(graph.run([], { outDir }), { code: 'graph', message: /running already/ })
  await t.throwsAsync(graph.step(), { code: 'graph', message: /is running/ })
  await first
  await graph.step()
  t.pass()
})

test('unknown options and devices of run are refused', async (t) => {
  const graph = logging([])
  // @ts-expect-error unknown option
  await t.throwsAsync(graph.run([], { seeds: 1 }), { code: 'argument', message: /unknown option 'seeds'; did you mean 'seed'/ })
  await t.throwsAsync(graph.run([], { device: 'abacus' }), { code: 'device' })
  // @ts-expect-error unknown option
  await t.throwsAsync(graph.step({ epochs: 1 }), { code: 'argument' })
})

test('cleanUp comes after a run that failed, too', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph().add(
    'A',
    new Node({
      update: () => {
        throw new Error('no')
      },
      cleanUp: () => void log.push('clean'),
    }),
  )
  await t.throwsAsync(graph.run([train({ steps: 1 })], { outDir: folder(t) }))
  t.deepEqual(log, ['clean'])
})
