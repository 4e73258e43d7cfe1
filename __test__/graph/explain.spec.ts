import test from 'ava'
import { type CacheAccess, Node } from '../../ts/graph/index.ts'
import { HyperGraph, repeat, task, train } from '../../ts/run/index.ts'
import { folder } from './toys.ts'

const reader = (...names: readonly string[]) =>
  new Node({ forward: (_, x: CacheAccess) => names.map((name) => x.get(name)), update: () => {} })

test('before anything ran, what nodes read is called unknown', (t) => {
  const graph = new HyperGraph().add('a', new Node({ forward: () => 1 })).add('b', new Node({ forward: (_, x) => x.a, backward: () => {} }))
  t.is(
    graph.explain(['train', 'x']),
    [
      'tags train,x: 2 nodes in order',
      '  a: Node, forward, reads not known yet',
      '  b: Node, forward backward, reads not known yet',
      '  a node is seen to read others when it runs: run a task or graph.step() with these tags, then ask again',
    ].join('\n'),
  )
})

test('after a run: who reads whom, who reads nothing, and the order of forward where it is another', async (t) => {
  const graph = new HyperGraph()
  graph.add('loss', reader('net', 'data')).add('net', reader('data')).add('data', reader()).add('alone', reader())
  await graph.step()
  t.is(
    graph.explain(),
    [
      'tags *: 4 nodes in order',
      '  loss: Node, forward update, reads net, data',
      '  net: Node, forward update, reads data',
      '  data: Node, forward update, reads nothing',
      '  alone: Node, forward update, reads nothing',
      '  forward visits data, net, loss, alone',
    ].join('\n'),
  )
})

test('after an iteration that failed, only those that ran are known, and a name that does not exist is read by nobody', async (t) => {
  const graph = new HyperGraph().add('a', new Node({})).add('b', reader('a', 'nope')).add('c', reader())
  await t.throwsAsync(graph.step(), { message: /asked for 'nope'/ })
  const lines = graph.explain().split('\n')
  t.deepEqual(lines.slice(1, 4), [
    '  a: Node, forward, reads nothing',
    '  b: Node, forward update, reads a',
    '  c: Node, forward update, reads not known yet',
  ])
})

test('what is known belongs to a selection: other tags have not run', async (t) => {
  const graph = new HyperGraph().add('a', reader())
  await graph.step({ tags: 'x' })
  t.regex(graph.explain('x'), /reads nothing$/)
  t.regex(graph.explain('y'), /reads not known yet/)
})

test('the event of a graph tells the same as data, whenever other nodes or another mode have done their first iteration', async (t) => {
  const graph = new HyperGraph()
    .add('net', reader('data'))
    .add('data', reader())
    .add('extra', new Node({ backward: () => {} }), { tags: 'train' })
  const told: string[] = []
  graph.events.on('iterationEnd', () => void told.push('iteration'))
  graph.events.on('graph', ({ training, tags, step, nodes }) => {
    const all = nodes.map(({ name, kind, phases, reads }) => `${name} ${kind} ${phases.join('+')} <- ${reads?.join() ?? '?'}`)
    told.push(`${training ? 'train' : 'eval'} ${tags.join()} at ${step}: ${all.join('; ')}`)
  })
  const look = task({ train: false, steps: 1, tags: 'val' })
  await graph.run([repeat(2, [train({ steps: 2, tags: 'train' }), look]), look], { outDir: folder(t) })
  const trained = (step: number) =>
    `train train at ${step}: net Node forward+update <- data; data Node forward+update <- ; extra Node forward+backward <- `
  const evaluated = (step: number) => `eval val at ${step}: net Node forward+update <- data; data Node forward+update <- `
  const round = (step: number) => ['iteration', trained(step), 'iteration', 'iteration', evaluated(step + 1)]
  t.deepEqual(told, [...round(1), ...round(3), 'iteration'])
})
