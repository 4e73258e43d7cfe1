import test from 'ava'
import { Node } from '../../ts/graph/index.ts'
import { HyperGraph } from '../../ts/run/index.ts'

const node = () => new Node({ forward: () => 1 })

test('a node tagged * is a default: a specific one of its name replaces it, added before it or after', (t) => {
  const [common, special] = [node(), node()]
  const after = new HyperGraph().add('a', common).add('a', special, { tags: 'train' })
  const before = new HyperGraph().add('a', special, { tags: 'train' }).add('a', common)
  for (const graph of [after, before]) {
    t.is(graph.selectGraph('train').nodes.get('a'), special)
    t.is(graph.selectGraph('val').nodes.get('a'), common)
  }
})

test('two specific nodes of one name selected at once are an error that names both', (t) => {
  const graph = new HyperGraph().add('a', node(), { tags: 'train' }).add('a', node(), { tags: 'val' })
  t.throws(() => graph.selectGraph(['train', 'val']), { code: 'graph', message: /'train\/a' and 'val\/a'/ })
  t.throws(() => graph.selectGraph('*'), { code: 'graph' })
})

test('queries are sets: the order of their tags does not matter', (t) => {
  const graph = new HyperGraph().add('a', node(), { tags: ['x', 'y'] })
  t.is(graph.selectGraph(['x', 'y']), graph.selectGraph(['y', 'x', 'x']))
})

test('nodes added or removed later are seen', (t) => {
  const graph = new HyperGraph().add('a', node())
  t.deepEqual([...graph.selectGraph().nodes.keys()], ['a'])
  graph.add('b', node())
  t.deepEqual([...graph.selectGraph().nodes.keys()], ['a', 'b'])
  graph.remove('a')
  t.deepEqual([...graph.selectGraph().nodes.keys()], ['b'])
})

test('nodes come in the order in which they were added', (t) => {
  const graph = new HyperGraph().add('c', node()).add('a', node(), { tags: 'x' }).add('b', node())
  t.deepEqual([...graph.selectGraph('x').nodes.keys()], ['c', 'a', 'b'])
})

test('get takes tags/name in any order of tags, and a name alone where it is unique', (t) => {
  const [a, b, c] = [node(), node(), node()]
  const graph = new HyperGraph()
    .add('n', a, { tags: ['x', 'y'] })
    .add('n', b, { tags: '#z' })
    .add('only', c)
  t.is(graph.get('y,x/n'), a)
  t.is(graph.get('#z/n'), b)
  t.is(graph.get('*/only'), c)
  t.is(graph.get('only'), c)
  t.throws(() => graph.get('n'), { code: 'graph', message: /'x,y\/n' or '#z\/n'/ })
  t.throws(() => graph.get('x/n'), { code: 'graph', message: /no node 'x\/n'.*\(the graph has / })
  t.throws(() => graph.get('onyl'), { code: 'graph' })
})

test('selectNodes gives all matching nodes by uid, defaults included', (t) => {
  const graph = new HyperGraph().add('a', node()).add('a', node(), { tags: 'train' }).add('b', node(), { tags: 'val' })
  t.deepEqual([...graph.selectNodes('train').keys()], ['*/a', 'train/a'])
  t.deepEqual([...graph.selectNodes().keys()], ['*/a', 'train/a', 'val/b'])
})

test('adding is refused: the same place twice, the same node twice, a bad name, what is no node', (t) => {
  const a = node()
  const graph = new HyperGraph().add('a', a, { tags: ['x', 'y'] })
  t.throws(() => graph.add('a', node(), { tags: ['y', 'x'] }), { code: 'graph', message: /a node 'x,y\/a' already/ })
  t.throws(() => graph.add('b', a), { code: 'graph', message: /in the graph as 'x,y\/a'/ })
  for (const name of ['', 'a/b', 'get', 'then'])
    t.throws(() => graph.add(name, node()), { code: 'argument', message: /cannot name a node/ })
  // @ts-expect-error not a node
  t.throws(() => graph.add('c', { forward: () => 1 }), { code: 'argument', message: /no Node/ })
  // @ts-expect-error unknown option
  t.throws(() => graph.add('c', node(), { tag: 'x' }), { code: 'argument', message: /unknown option 'tag'; did you mean 'tags'/ })
})

test('a query that selects nothing says what there is', (t) => {
  t.throws(() => new HyperGraph().add('a', node(), { tags: 'train' }).selectGraph('val'), {
    code: 'graph',
    message: /'val' select no node; the graph has train\/a/,
  })
  t.throws(() => new HyperGraph().selectGraph(), { code: 'graph', message: /the graph is empty/ })
})
