import test from 'ava'
import { DatasetNode, type ExecutableGraph, Node } from '../../ts/graph/index.ts'
import { Linear } from '../../ts/nn/index.ts'
import { evaluate, HyperGraph, repeat, train } from '../../ts/run/index.ts'
import { ones } from '../../ts/tensor/index.ts'
import { folder, numbers } from './toys.ts'

test('resources are found on the node, in every hook', async (t) => {
  const seen: unknown[] = []
  const graph = new HyperGraph().add(
    'A',
    new Node({ scale: 3, words: ['x'], forward: (n) => n.scale * 2, update: (n) => void seen.push(n.words) }),
  )
  t.is((await graph.step()).A, 6)
  t.deepEqual(seen, [['x']])
})

test('B11: two callable resources each stay themselves', async (t) => {
  const graph = new HyperGraph().add('A', new Node({ one: () => 1, two: () => 2, forward: (n) => [n.one(), n.two()] }))
  t.deepEqual((await graph.step()).A, [1, 2])
})

for (const name of ['device', 'training', 'epochSteps', 'allNodes', 'stateDict', 'name']) {
  test(`a resource called ${name} collides with a member and is refused`, (t) => {
    t.throws(() => new Node({ [name]: 1 }), { code: 'argument', message: new RegExp(`'${name}' is a member of every node`) })
  })
}

test('a resource is not lost to a field of a subclass that has its name', (t) => {
  class Own extends Node<object, number, { count: number }> {
    count = 0
  }
  t.throws(() => new Own({ count: 3, forward: (n) => n.count }), { instanceOf: TypeError, message: /redefine property: count/ })
})

test('a hook that is no function is refused', (t) => {
  // @ts-expect-error a hook is a function
  t.throws(() => new Node({ update: 3 }), { code: 'argument', message: /hook 'update' is number/ })
})

test('forwardImpl may be overridden, forward may not', async (t) => {
  class Two extends Node<object, number> {
    override forwardImpl(): number {
      return 2
    }
  }
  class Wrong extends Node {
    override forward(): undefined {}
  }
  t.is((await new HyperGraph().add('two', new Two({})).step()).two, 2)
  t.throws(() => new Wrong({}), { code: 'graph', message: /Wrong: forward\(\).*override forwardImpl/ })
})

test('members outside of a run say so', (t) => {
  const node = new Node({})
  t.is(node.name, '')
  t.false(node.training)
  for (const member of ['device', 'task', 'allNodes', 'outDir', 'globalTrainSteps'] as const) {
    t.throws(() => node[member], { code: 'graph', message: /has not run yet/ })
  }
})

test('members in a run', async (t) => {
  const outDir = folder(t)
  const seen: unknown[] = []
  const graph = new HyperGraph().add(
    'A',
    new Node({
      forward: (n) =>
        seen.push([
          n.name,
          n.training,
          n.device,
          n.stepMode,
          n.task.label,
          n.launcher,
          n.gradAccSteps,
          [...n.allNodes.keys()],
          n.outDir.startsWith(outDir),
          n.runId,
        ]),
    }),
  )
  const result = await graph.run([train({ steps: 1, tags: 'x' })], { outDir, runId: 'mine' })
  const runId = result.outDir.split(/[\\/]/).at(-1)
  t.regex(runId ?? '', /^mine_\d{8}-\d{6}_[0-9a-f]{4}$/)
  t.deepEqual(seen, [['A', true, 'cpu', true, 'train by steps, tags x', { rank: 0, worldSize: 1 }, 1, ['A'], true, runId]])
})

test('step has no out directory', async (t) => {
  const graph = new HyperGraph().add('A', new Node({ forward: (n) => n.outDir }))
  await t.throwsAsync(graph.step(), { code: 'graph', message: /graph.step\(\) has no out directory/ })
})

/** The counters that a node sees in each forward. */
function counting(log: unknown[]) {
  return new HyperGraph().add('data', new DatasetNode({ dataset: numbers(3) })).add(
    'A',
    new Node({
      forward: (n) => log.push([n.globalAutoSteps, n.globalTrainSteps, n.globalTrainEpochs, n.epochSteps, n.epochSize]),
    }),
  )
}

test('counters: iterations from 1 in each mode, epochs finished, place in the epoch from 0 (B8: no iteration is counted that found no data)', async (t) => {
  const log: unknown[] = []
  await counting(log).run([repeat(2, [train({ epochs: 1 }), evaluate({ epochs: 1 })])], { outDir: folder(t) })
  t.deepEqual(log, [
    [1, 1, 0, 0, 3],
    [2, 2, 0, 1, 3],
    [3, 3, 0, 2, 3],
    [1, 3, 1, 0, 3],
    [2, 3, 1, 1, 3],
    [3, 3, 1, 2, 3],
    [4, 4, 1, 0, 3],
    [5, 5, 1, 1, 3],
    [6, 6, 1, 2, 3],
    [4, 6, 2, 0, 3],
    [5, 6, 2, 1, 3],
    [6, 6, 2, 2, 3],
  ])
})

test('step mode counts updates: so many windows of iterations; there is no epoch', async (t) => {
  const log: unknown[] = []
  const graph = counting(log).accumulate(2)
  const done: number[] = []
  graph.events.on('iterationEnd', (task) => void done.push(task.done))
  await graph.run([train({ steps: 2 })], { outDir: folder(t) })
  t.deepEqual(log, [
    [1, 1, 0, 0, 0],
    [2, 2, 0, 1, 0],
    [3, 3, 0, 2, 0],
    [4, 4, 0, 3, 0],
  ])
  t.deepEqual(done, [0, 1, 1, 2])
})

test('B9: counters belong to a run; another graph, and another run, start from 0', async (t) => {
  const outDir = folder(t)
  const [first, second]: unknown[][] = [[], []]
  const graph = counting(first ?? [])
  await graph.run([train({ steps: 2 })], { outDir })
  await graph.run([train({ steps: 1 })], { outDir })
  await counting(second ?? []).run([train({ steps: 1 })], { outDir })
  t.deepEqual(
    first?.map((row) => (Array.isArray(row) ? row[0] : row)),
    [1, 2, 1],
  )
  t.deepEqual(second, [[1, 1, 0, 0, 0]])
})

test('step goes on counting from call to call', async (t) => {
  const log: unknown[] = []
  const graph = counting(log)
  await graph.step()
  await graph.step({ train: false })
  await graph.step({ steps: 2 })
  t.deepEqual(
    log.map((row) => (Array.isArray(row) ? row[1] : row)),
    [1, 1, 2, 3],
  )
})

test('move follows lists and records, and returns what has nothing to move as it is', async (t) => {
  const data = { list: [ones([1]), 1], module: new Linear(1, 1), when: new Date(), text: 'x' }
  const graph = new HyperGraph().add('A', new Node({ data, forward: (n) => n.move(n.data) }))
  t.is((await graph.step()).A, data)
})

test('a node may set the end of an epoch by its length; without one, epochs are refused', async (t) => {
  class Two extends Node<object, number> {
    override get length(): number {
      return 2
    }
    override forwardImpl(): number {
      return this.epochSteps
    }
  }
  const seen: number[] = []
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(3) }))
    .add('two', new Two({}))
    .add('see', new Node({ forward: (_, x) => seen.push(x.two) }))
  await graph.run([train({ epochs: 1 })], { outDir: folder(t) })
  t.deepEqual(seen, [0, 1])
  const endless = new HyperGraph().add('A', new Node({}))
  await t.throwsAsync(endless.run([train({ epochs: 1 })], { outDir: folder(t) }), {
    code: 'graph',
    message: /needs a node that has an end.*Give steps instead/,
  })
})

test('explain prints order, phases and who read whom', async (t) => {
  const graph = new HyperGraph().add('a', new Node({ forward: () => 1 })).add('b', new Node({ forward: (_, x) => x.a, update: () => {} }))
  await graph.step()
  t.is(graph.explain(), 'tags *: 2 nodes in order\n  a: Node, forward, reads nothing\n  b: Node, forward update, reads a')
  const selected: ExecutableGraph = graph.selectGraph('any')
  t.deepEqual([...selected.nodes.keys()], ['a', 'b'])
})
