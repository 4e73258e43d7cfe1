import test from 'ava'
import { DatasetNode, Node } from '../../ts/graph/index.ts'
import { evaluate, HyperGraph, repeat, train } from '../../ts/run/index.ts'
import { tensor } from '../../ts/tensor/index.ts'
import { folder, numbers } from './toys.ts'

const counting = () => {
  let calls = 0
  return new HyperGraph().add('a', new Node({ forward: () => ({ calls: (calls += 1) }) })).add('b', new Node({ forward: () => 'b' }))
}

test('prints outputs with the epochs and steps so far, in the order of the names', async (t) => {
  const lines: string[] = []
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(2) }))
    .add('a', new Node({ forward: (n) => n.globalTrainSteps }))
    .add('b', new Node({ forward: () => tensor([1.5]) }))
    .probe(['b', 'a'], { print: (line) => lines.push(line) })
  await graph.run([repeat(2, [train({ epochs: 1 }), evaluate({ steps: 1 })])], { outDir: folder(t) })
  t.deepEqual(
    lines.filter((line) => / a:/.test(line)),
    ['E0S1 a: 1', 'E0S2 a: 2', 'E1S2 a: 2', 'E1S3 a: 3', 'E1S4 a: 4', 'E2S4 a: 4'],
  )
  t.regex(lines[0] ?? '', /^E0S1 b: Tensor.*1\.5/s)
})

test('every: the first iteration and the multiples; total: so many iterations at most', async (t) => {
  const lines: string[] = []
  const print = (line: string) => void lines.push(line)
  const graph = counting().probe(['a'], { every: 3, print })
  await graph.step({ steps: 10 })
  t.deepEqual(lines, ['E0S1 a: { calls: 1 }', 'E0S3 a: { calls: 3 }', 'E0S6 a: { calls: 6 }', 'E0S9 a: { calls: 9 }'])
  lines.length = 0
  await counting().probe(['a', 'b'], { every: 2, total: 2, print }).step({ steps: 9 })
  t.deepEqual(lines, ['E0S1 a: { calls: 1 }', "E0S1 b: 'b'", 'E0S2 a: { calls: 2 }', "E0S2 b: 'b'"])
})

test('tags: as those of a node; a name that the task does not select is passed over', async (t) => {
  const lines: string[] = []
  const graph = new HyperGraph()
    .add('a', new Node({ forward: () => 'train' }), { tags: 'train' })
    .add('b', new Node({ forward: () => 'b' }))
    .probe(['a', 'b'], { tags: 'train', print: (line) => lines.push(line) })
    .probe(['a'], { print: (line) => lines.push(`all ${line}`) })
  await graph.step({ tags: 'val' })
  t.deepEqual(lines, [])
  await graph.step({ tags: ['train', 'x'] })
  t.deepEqual(lines, ["E0S2 a: 'train'", "E0S2 b: 'b'", "all E0S2 a: 'train'"])
})

test('a probe changes neither the order of the nodes nor what they are asked for', async (t) => {
  const log: string[] = []
  const noting = (name: string) => new Node({ forward: () => void log.push(name) })
  const graph = new HyperGraph().add('a', noting('a')).add('b', noting('b'))
  graph.probe(['b', 'a'], { print: () => log.push('print') })
  await graph.step()
  t.deepEqual(log, ['a', 'b', 'print', 'print'])
  t.is(graph.explain(), 'tags *: 2 nodes in order\n  a: Node, forward, reads nothing\n  b: Node, forward, reads nothing')
})

test('when forward fails, the outputs that were made are printed', async (t) => {
  const lines: string[] = []
  const graph = new HyperGraph()
    .add('a', new Node({ forward: () => 'made' }))
    .add('b', new Node({ forward: (_, x): string => x.get('nope') }))
    .probe(['a', 'b'], { print: (line) => lines.push(line) })
  await t.throwsAsync(graph.step(), { code: 'graph', message: /asked for 'nope'/ })
  t.deepEqual(lines, ["E0S1 a: 'made'"])
})

test('an iteration whose probe fails is given up and not counted, as one whose node does', async (t) => {
  const lines: string[] = []
  let broken = true
  const print = (line: string): void => {
    if (broken) throw new Error('full')
    lines.push(line)
  }
  const graph = counting().probe(['b'], { print })
  await t.throwsAsync(graph.step(), { message: /full/ })
  broken = false
  await graph.step()
  t.deepEqual(lines, ["E0S1 b: 'b'"])
})

test('prints to the console unless told otherwise', async (t) => {
  const lines: unknown[] = []
  const { log } = console
  console.log = (line: unknown) => void lines.push(line)
  t.teardown(() => void (console.log = log))
  await counting().probe(['b']).step()
  t.deepEqual(lines, ["E0S1 b: 'b'"])
})

test('wrong probes are refused', (t) => {
  const graph = counting()
  t.throws(() => graph.probe([]), { code: 'argument', message: /no name is given/ })
  // @ts-expect-error no such node
  t.throws(() => graph.probe(['bb']), { code: 'argument', message: /unknown node 'bb'; did you mean 'b'\?/ })
  t.throws(() => graph.probe(['b'], { every: 0 }), { code: 'argument', message: /every 0, expected a whole number from 1/ })
  t.throws(() => graph.probe(['b'], { total: 1.5 }), { code: 'argument', message: /total 1.5/ })
  t.throws(() => graph.probe(['b'], { tags: '' }), { code: 'argument', message: /tags/ })
  // @ts-expect-error unknown option
  t.throws(() => graph.probe(['b'], { ever: 1 }), { code: 'argument', message: /unknown option 'ever'; did you mean 'every'\?/ })
})
