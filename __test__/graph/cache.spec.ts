import { inspect } from 'node:util'
import test from 'ava'
import { type CacheAccess, Node, StopTask } from '../../ts/graph/index.ts'
import { HyperGraph } from '../../ts/run/index.ts'

test('each node runs at most once an iteration, however many ask; nobody asked, it runs once too', async (t) => {
  const calls = { source: 0, left: 0, right: 0, alone: 0 }
  const graph = new HyperGraph()
    .add('source', new Node({ forward: () => ++calls.source }))
    .add('left', new Node({ forward: (_, x) => x.source + x.source + calls.left++ }))
    .add('right', new Node({ forward: (_, x) => x.left + x.source + calls.right++ }))
    .add('alone', new Node({ forward: () => ++calls.alone }))
  await graph.step()
  t.deepEqual(calls, { source: 1, left: 1, right: 1, alone: 1 })
  await graph.step({ steps: 4 })
  t.deepEqual(calls, { source: 5, left: 5, right: 5, alone: 5 })
})

test('forward visits producers first, in whatever order nodes were added', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph()
  graph.add('consumer', new Node({ forward: (_, x: CacheAccess) => log.push(`consumer of ${x.get<number>('producer')}`) }))
  graph.add('producer', new Node({ forward: () => log.push('producer') }))
  await graph.step()
  t.deepEqual(log, ['producer', 'consumer of 1'])
})

test('an output that is undefined is kept like any other', async (t) => {
  let calls = 0
  const graph = new HyperGraph().add('a', new Node({ forward: () => void calls++ })).add('b', new Node({ forward: (_, x) => [x.a, x.a] }))
  await graph.step()
  t.is(calls, 1)
})

test('the output is kept when it is asked for again after update', async (t) => {
  const graph = new HyperGraph()
    .add('n1', new Node({ value: { now: 0 }, forward: (n) => (n.value.now += 1), update: (n) => void (n.value.now += 100) }))
    .add('n2', new Node({ forward: (_, x) => x.n1 * 2 }))
  await graph.step()
  const cache = await graph.step()
  t.is(cache.n2, 204)
  t.is(graph.get('n2').forward(), 204)
})

test('a cycle is an error that prints the path', async (t) => {
  const asks = (name: string) => new Node({ forward: (_, x: CacheAccess) => x.get(name) })
  const graph = new HyperGraph().add('start', asks('a')).add('a', asks('b')).add('b', asks('c')).add('c', asks('a'))
  await t.throwsAsync(graph.step(), { code: 'graph', message: /node 'c' in forward.*a -> b -> c -> a/ })
})

test('a missing name says which node asked, in which task, under which tags, and what there is', async (t) => {
  const graph = new HyperGraph()
    .add('mnist', new Node({ forward: () => 1 }), { tags: 'val' })
    .add('net', new Node({ forward: (_, x) => x.mnist }))
  const error = await t.throwsAsync(graph.step({ tags: 'train' }), { code: 'graph' })
  t.regex(error?.message ?? '', /node 'net' in forward of 'train by steps, tags train'/)
  t.regex(error?.message ?? '', /asked for 'mnist', which is in the graph as 'val\/mnist', not selected by tags 'train'/)
  t.regex(error?.message ?? '', /Tags 'train' select net/)
})

test('a misspelt name is answered with the nearest one', async (t) => {
  const graph = new HyperGraph()
    .add('image', new Node({ forward: () => 1 }))
    .add('net', new Node({ forward: (_, x: CacheAccess) => x.get('imgae') }))
  await t.throwsAsync(graph.step(), { message: /asked for 'imgae', which no node is called; did you mean 'image'\?/ })
})

test('the cache that step returns survives await, prints its outputs, and refuses unknown names', async (t) => {
  const graph = new HyperGraph().add('a', new Node({ forward: () => 1 })).add('b', new Node({ forward: () => 'two' }))
  const cache = await graph.step()
  t.is(inspect(cache), "{ a: 1, b: 'two' }")
  t.is(cache.get('b'), 'two')
  t.throws(() => cache.get('nope'), { code: 'graph', message: /asked for 'nope'/ })
})

test('the cache lists, spreads and tests for the outputs made so far; it cannot be written', async (t) => {
  const seen: unknown[] = []
  const graph = new HyperGraph()
    .add('a', new Node({ forward: () => 1 }))
    .add('b', new Node({ forward: (_, x) => seen.push(Object.keys(x), 'a' in x, 'b' in x, 'get' in x) }))
    .add('c', new Node({ forward: () => 3 }))
  const cache = await graph.step()
  t.deepEqual(seen, [['a'], true, false, false])
  t.deepEqual({ ...cache }, { a: 1, b: 4, c: 3 })
  const { a, ...others } = cache
  t.deepEqual([a, others], [1, { b: 4, c: 3 }])
  const setting = new HyperGraph().add('a', new Node({ forward: (_, x) => Reflect.set(x, 'b', 1) }))
  await t.throwsAsync(setting.step(), { code: 'graph', message: /'b' cannot be set: outputs are what forward returns/ })
})

test('when an iteration is given up, outputs that were not made are not made later', async (t) => {
  let calls = 0
  const graph = new HyperGraph()
    .add('a', new Node({ forward: () => 1 }))
    .add(
      'stops',
      new Node({
        forward: () => {
          throw new StopTask()
        },
      }),
    )
    .add('b', new Node({ forward: () => (calls += 1) }))
  const cache = await graph.step()
  t.is(cache.a, 1)
  t.throws(() => cache.b, { code: 'graph', message: /asked for 'b', which has no output.*or it was given up/ })
  t.is(calls, 0)
})
