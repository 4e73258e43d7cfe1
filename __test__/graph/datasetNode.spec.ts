import test from 'ava'
import { DatasetNode, Node } from '../../ts/graph/index.ts'
import { evaluate, HyperGraph, train } from '../../ts/run/index.ts'
import { folder, numbers } from './toys.ts'

interface Options {
  readonly shuffle?: boolean
  readonly seed?: number
  readonly batchSize?: number
  readonly dropLast?: boolean
  readonly iterationsPerEpoch?: number
  readonly batchSizeInTotal?: boolean
}

/** Notes the x of every batch. */
function reading(log: number[][], options: Options = {}) {
  return new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(5), batchSize: 2, ...options }))
    .add('note', new Node({ forward: (_, x) => log.push(Array.from(x.data.x.dataSync())) }))
}

test('an epoch is one pass over the data; the samples are counted', async (t) => {
  const log: number[][] = []
  const { history } = await reading(log).run([train({ epochs: 2 })], { outDir: folder(t) })
  const pass = [[0, 1], [2, 3], [4]]
  t.deepEqual(log, [...pass, ...pass])
  t.deepEqual(
    history.map(({ samples, iterations }) => [samples, iterations]),
    [
      [5, 3],
      [5, 3],
    ],
  )
})

test('dropLast leaves the short batch out', async (t) => {
  const log: number[][] = []
  await reading(log, { dropLast: true }).run([train({ epochs: 1 })], { outDir: folder(t) })
  t.deepEqual(log, [
    [0, 1],
    [2, 3],
  ])
})

test('in step mode the passes follow one another, and tasks go on where the last one stopped', async (t) => {
  const log: number[][] = []
  await reading(log).run([train({ steps: 2 }), train({ steps: 3 })], { outDir: folder(t) })
  t.deepEqual(log, [[0, 1], [2, 3], [4], [0, 1], [2, 3]])
})

test('an epoch begins with a new pass, also after steps', async (t) => {
  const log: number[][] = []
  await reading(log).run([train({ steps: 1 }), evaluate({ epochs: 1 })], { outDir: folder(t) })
  t.deepEqual(log, [[0, 1], [0, 1], [2, 3], [4]])
})

test('with iterationsPerEpoch an epoch has so many batches, and the data goes on where it was', async (t) => {
  const log: number[][] = []
  const graph = reading(log, { iterationsPerEpoch: 2, batchSizeInTotal: true })
  const { history } = await graph.run([train({ epochs: 2 }), train({ steps: 1 }), train({ epochs: 1 })], { outDir: folder(t) })
  t.deepEqual(log, [[0, 1], [2, 3], [4], [0, 1], [2, 3], [4], [0, 1]])
  t.deepEqual(
    history.map(({ iterations, samples }) => [iterations, samples]),
    [
      [2, 4],
      [2, 3],
      [2, 3],
    ],
  )
})

test('its pipeline depends on the run, the pass and the sample', async (t) => {
  const run = async (seed: number) => {
    const log: number[] = []
    const data = new DatasetNode({
      dataset: numbers(4),
      batchSize: 2,
      shuffle: true,
      pipeline: ({ x }, { index, random }) => ({ x, index, noise: random.uniform() }),
    })
    const graph = new HyperGraph()
      .add('data', data)
      .add('note', new Node({ forward: (_, x) => log.push(...x.data.index.dataSync(), ...x.data.noise.dataSync()) }))
    await graph.run([train({ epochs: 2 })], { outDir: folder(t), seed })
    return log
  }
  const [first, again, other] = [await run(0), await run(0), await run(1)]
  t.deepEqual(again, first)
  t.notDeepEqual(other, first)
  t.is(new Set(first.filter((n) => n % 1 !== 0)).size, 8)
})

test('shuffled passes differ from one another, and repeat with the seed of the run or their own', async (t) => {
  const outDir = folder(t)
  const orders = await Promise.all(
    [{ run: 0 }, { run: 0 }, { run: 1 }, { run: 1, own: 0 }].map(async ({ run, own }) => {
      const log: number[][] = []
      await reading(log, { shuffle: true, ...(own === undefined ? {} : { seed: own }) }).run([train({ epochs: 2 })], { outDir, seed: run })
      return log.flat()
    }),
  )
  const [first, again, other, own] = orders.map((order) => order.join(' '))
  t.is(first, again)
  t.not(first, other)
  t.is(first, own)
  for (const order of orders) {
    t.deepEqual(order.slice(0, 5).toSorted(), [0, 1, 2, 3, 4])
    t.notDeepEqual(order.slice(0, 5), order.slice(5))
  }
})

test('its place is its state', async (t) => {
  const [log, rest]: number[][][] = [[], []]
  const graph = reading(log ?? [], { shuffle: true, seed: 3 })
  await graph.step({ steps: 4 })
  const state = await graph.get('data').stateDict()
  t.deepEqual(state, { epoch: 1, position: 1, samples: 7, length: 3 })
  const other = reading(rest ?? [], { shuffle: true, seed: 3 })
  other.get('data').loadStateDict(state, true)
  await graph.step({ steps: 3 })
  await other.step({ steps: 3 })
  t.deepEqual(rest, log?.slice(4))
})

test('a place in other batches is refused, or given up', (t) => {
  const data = new DatasetNode({ dataset: numbers(5) })
  const state = { epoch: 4, position: 2, samples: 4, length: 3 }
  t.throws(() => data.loadStateDict(state, true), { code: 'graph', message: /3 batches in a pass over the data when saved, 5 now/ })
  t.is(data.loadStateDict(state, false).length, 1)
  t.like(data.stateDict(), { epoch: 4, position: 0 })
})

test('unknown options are refused', (t) => {
  // @ts-expect-error unknown option
  t.throws(() => new DatasetNode({ dataset: numbers(2), batch: 1 }), { code: 'argument', message: /unknown option 'batch'/ })
})
