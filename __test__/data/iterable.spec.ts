import test from 'ava'
import { DataLoader, fromIterable, mapped } from '../../ts/data/index.ts'
import { DatasetNode, Node } from '../../ts/graph/index.ts'
import { HyperGraph, train } from '../../ts/run/index.ts'
import { folder } from '../graph/toys.ts'

/** Samples 0 to count-1 of each pass, and how many were read and how many iterators were closed. */
function counted(count: number) {
  const log = { read: 0, closed: 0 }
  const dataset = fromIterable(async function* (epoch: number) {
    try {
      for (let i = 0; i < count; i++) {
        log.read += 1
        yield 10 * epoch + i
      }
    } finally {
      log.closed += 1
    }
  })
  return { log, dataset }
}

async function loop(loader: AsyncIterable<{ dataSync(): ArrayLike<number> }>): Promise<number[][]> {
  const seen: number[][] = []
  for await (const batch of loader) seen.push(Array.from(batch.dataSync()))
  return seen
}

test('a loop is a pass; the next one begins anew', async (t) => {
  const { dataset, log } = counted(5)
  const loader = new DataLoader({ dataset, batchSize: 2 })
  t.deepEqual(await loop(loader), [[0, 1], [2, 3], [4]])
  t.deepEqual(await loop(loader), [[10, 11], [12, 13], [14]])
  t.deepEqual(await loop(new DataLoader({ dataset, batchSize: 2, dropLast: true })), [
    [0, 1],
    [2, 3],
  ])
  await loader.close()
  t.true(log.closed >= 2)
})

test('iterationsPerEpoch goes on over the end of a pass; synchronous iterables will do', async (t) => {
  const dataset = fromIterable(function* () {
    yield* [1, 2, 3]
  })
  const loader = new DataLoader({ dataset, batchSize: 2, iterationsPerEpoch: 3 })
  t.deepEqual(await loop(loader), [[1, 2], [3], [1, 2]])
  t.deepEqual(await loop(loader), [[3], [1, 2], [3]])
})

test('a place is gone to by reading and dropping', async (t) => {
  const { dataset, log } = counted(7)
  const loader = new DataLoader({ dataset, batchSize: 2 })
  loader.loadStateDict({ epoch: 3, position: 2, taken: 2 })
  t.deepEqual(await loop(loader), [[34, 35], [36]])
  t.is(log.read, 7)
})

test('its pipeline knows the number of a sample in its pass', async (t) => {
  const { dataset } = counted(3)
  const loader = new DataLoader({ dataset, batchSize: 2, pipeline: (n, { index, random }) => 100 * n + index + random.uniform(0, 0.5) })
  const [first, second] = [
    await loop(loader),
    await loop(new DataLoader({ dataset, batchSize: 3, pipeline: (n, { index, random }) => 100 * n + index + random.uniform(0, 0.5) })),
  ]
  t.deepEqual(first.flat(), second.flat())
  t.deepEqual(first.flat().map(Math.floor), [0, 101, 202])
})

test('mapped works on it, too', async (t) => {
  const dataset = mapped(counted(3).dataset, (n, { index }) => n * 10 + index)
  t.deepEqual(await loop(new DataLoader({ dataset, batchSize: 2 })), [[0, 11], [22]])
})

test('in a graph: steps go on for ever, and a resumed run goes on exactly', async (t) => {
  const program = () => {
    const seen: number[][] = []
    const graph = new HyperGraph()
      .add('data', new DatasetNode({ dataset: counted(5).dataset, batchSize: 2 }))
      .add('note', new Node({ forward: (_, x) => seen.push(Array.from(x.data.dataSync())) }))
    return { graph, seen }
  }
  const whole = program()
  const saves: string[] = []
  whole.graph.events.on(
    'iterationEnd',
    async () => void saves.push(await whole.graph.saveCheckpoint({ to: `at${saves.length}.safetensors` })),
  )
  const tasks = [train({ steps: 8 })]
  await whole.graph.run(tasks, { outDir: folder(t) })
  t.deepEqual(whole.seen.slice(0, 5), [[0, 1], [2, 3], [4], [10, 11], [12, 13]])
  for (const [at, path] of saves.entries()) {
    const rest = program()
    await rest.graph.run(tasks, { outDir: folder(t), resumeFrom: path })
    t.deepEqual(rest.seen, whole.seen.slice(at + 1))
  }
  await t.throwsAsync(program().graph.run([train({ epochs: 1 })], { outDir: folder(t) }), {
    code: 'graph',
    message: /needs a node that has an end/,
  })
})

test('an error of the source arrives, and the next loop begins anew', async (t) => {
  let failing = true
  const dataset = fromIterable(function* () {
    yield 1
    if (failing) throw new RangeError('the line is cut')
    yield 2
  })
  const loader = new DataLoader({ dataset })
  await t.throwsAsync(loop(loader), { instanceOf: RangeError, message: 'the line is cut' })
  failing = false
  t.deepEqual(await loop(loader), [[1], [2]])
})

test('what needs any sample at any time is refused', async (t) => {
  const { dataset } = counted(4)
  t.throws(() => new DataLoader({ dataset, shuffle: true }), { code: 'argument', message: /come in turn, and shuffle/ })
  t.throws(() => new DataLoader({ dataset, workers: 1 }), { code: 'argument', message: /come in turn, and workers/ })
  t.throws(() => [...new DataLoader({ dataset })], { code: 'argument', message: /write `for await/ })
  t.throws(() => dataset.get(1), { code: 'argument', message: /cannot be gone to/ })
  const once = [1, 2][Symbol.iterator]()
  const spent = new DataLoader({ dataset: fromIterable(() => once), batchSize: 2 })
  t.deepEqual(await loop(spent), [[1, 2]])
  await t.throwsAsync(loop(spent), { code: 'argument', message: /can be read only once/ })
  const short = new DataLoader({ dataset })
  short.loadStateDict({ epoch: 0, position: 9, taken: 0 })
  await t.throwsAsync(loop(short), { code: 'argument', message: /ended 5 samples before batch 9/ })
})
