// What datasets promise as nodes of a graph.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { type Dataset, fromModule, pipeline } from '../../ts/data/index.ts'
import { DatasetNode, LossNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { Dropout, F, Linear, Module } from '../../ts/nn/index.ts'
import { adamW } from '../../ts/optim/index.ts'
import { evaluate, HyperGraph, train } from '../../ts/run/index.ts'
import { seed, type Tensor } from '../../ts/tensor/index.ts'
import type noisy from '../data/noisyData.ts'
import { folder, numbers } from '../graph/toys.ts'

class Net extends Module {
  readonly drop = new Dropout(0.3)
  readonly fc = new Linear(5, 1)
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.drop.forward(x)).flatten(0)
  }
}

/** What an iteration saw: its images, to the last bit, and its loss. */
type Trace = (readonly [image: string, loss: number])[]

async function program(workers: number, options: { readonly iterationsPerEpoch?: number } = {}) {
  seed(1)
  const trace: Trace = []
  const dataset = await fromModule<typeof noisy>(new URL('../data/noisyData.ts', import.meta.url), { count: 11 })
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset, batchSize: 2, shuffle: true, ...(workers > 0 ? { workers } : {}), ...options }))
    .add('net', new ModuleNode({ module: new Net(), forward: (n, x) => n.module.forward(x.data.image), optimizers: adamW({ lr: 0.05 }) }))
    .add('loss', new LossNode({ forward: (_, x) => F.mseLoss(x.net, x.data.noise) }))
    .add(
      'trace',
      new Node({ forward: (_, x) => trace.push([Buffer.from(x.data.image.dataSync().buffer).toString('hex'), x.loss.itemSync()]) }),
    )
  return { graph, trace, tasks: [train({ epochs: 2 }), train({ steps: 4 }), train({ epochs: 1 })] }
}

test.serial('workers: shuffled, augmented batches and the losses are bit by bit those without workers', async (t) => {
  const runs = [await program(0), await program(2)]
  for (const { graph, tasks } of runs) await graph.run(tasks, { outDir: folder(t), seed: 5 })
  t.is(runs[0]?.trace.length, 22)
  t.deepEqual(runs[1]?.trace, runs[0]?.trace)
})

for (const options of [{}, { iterationsPerEpoch: 4 }]) {
  test.serial(
    `resume with shuffle and 2 workers ${JSON.stringify(options)}: batches and losses go on bit by bit from any iteration`,
    async (t) => {
      const whole = await program(2, options)
      const saves: { path: string; at: number }[] = []
      whole.graph.events.on('iterationEnd', async () => {
        const at = whole.trace.length
        if (at % 3 === 1) saves.push({ at, path: await whole.graph.saveCheckpoint({ to: `after${at}.safetensors` }) })
      })
      await whole.graph.run(whole.tasks, { outDir: folder(t), seed: 5 })
      t.true(saves.length > 5)
      for (const { path, at } of saves) {
        const rest = await program(2, options)
        await rest.graph.run(rest.tasks, { outDir: folder(t), resumeFrom: path })
        t.deepEqual(rest.trace, whole.trace.slice(at), path)
      }
    },
  )
}

/** Notes the x of every batch, and which samples were read. */
function reading(options: {
  readonly shuffle?: boolean
  readonly iterationsPerEpoch?: number
  readonly dropLast?: boolean
  readonly cache?: { readonly folder: string; readonly version?: number }
}) {
  const [batches, read]: [number[][], number[]] = [[], []]
  const dataset: Dataset<number> = { length: 5, get: (i) => (read.push(i), i) }
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset, batchSize: 2, ...options }))
    .add('note', new Node({ forward: (_, x) => batches.push(Array.from(x.data.dataSync())) }))
  return { graph, batches, read }
}

test('it wraps around in step mode, and ends the epoch in epoch mode', async (t) => {
  const steps = reading({})
  await steps.graph.run([train({ steps: 5 })], { outDir: folder(t) })
  t.deepEqual(steps.batches, [[0, 1], [2, 3], [4], [0, 1], [2, 3]])
  const epochs = reading({ dropLast: true })
  const { history } = await epochs.graph.run([train({ epochs: 2 })], { outDir: folder(t) })
  t.deepEqual(
    history.map(({ iterations }) => iterations),
    [2, 2],
  )
})

test('the cursor is its state, and a place is gone to without reading what comes before', async (t) => {
  const first = reading({ shuffle: true })
  await first.graph.step({ steps: 8 })
  const second = reading({ shuffle: true })
  second.graph.get('data').loadStateDict({ epoch: 2, position: 1, samples: 2, length: 3 }, true)
  await second.graph.step({ steps: 1 })
  t.deepEqual(second.batches, [first.batches[7]])
  t.deepEqual(second.read, first.batches[7])
})

test('the order depends on seed, epoch and position: two graphs with one seed agree, in any task', async (t) => {
  const [one, two] = [reading({ shuffle: true }), reading({ shuffle: true })]
  await one.graph.run([train({ steps: 2 }), evaluate({ steps: 4 })], { outDir: folder(t), seed: 3 })
  await two.graph.run([train({ steps: 6 })], { outDir: folder(t), seed: 3 })
  t.deepEqual(one.batches, two.batches)
})

test('iterationsPerEpoch: so many batches in an epoch, and the permutation goes on where it was', async (t) => {
  const part = reading({ shuffle: true, iterationsPerEpoch: 2 })
  await part.graph.run([train({ epochs: 3 })], { outDir: folder(t), seed: 3 })
  const whole = reading({ shuffle: true })
  await whole.graph.run([train({ epochs: 2 })], { outDir: folder(t), seed: 3 })
  t.deepEqual(part.batches, whole.batches)
})

test('collate makes the batch of the samples, after the pipeline; dropLast leaves the short one out', async (t) => {
  const batches: unknown[] = []
  const graph = new HyperGraph()
    .add(
      'data',
      new DatasetNode({
        dataset: numbers(5),
        batchSize: 2,
        dropLast: true,
        pipeline: ({ x }: { x: Tensor }) => x.itemSync() * 10,
        collate: (samples) => samples.join(' and '),
      }),
    )
    .add('note', new Node({ forward: (_, x) => batches.push(x.data) }))
  await graph.run([train({ epochs: 2 })], { outDir: folder(t) })
  t.deepEqual(batches, ['0 and 10', '20 and 30', '0 and 10', '20 and 30'])
})

test('prefetch is refused where nothing is made ahead', (t) => {
  t.throws(() => new DatasetNode({ dataset: numbers(1), prefetch: 3 }), {
    code: 'argument',
    message: /prefetch is what workers make ahead, and there are none/,
  })
})

test('batchSizeInTotal with one process is batchSize', async (t) => {
  const sizes: number[] = []
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(10), batchSize: 4, batchSizeInTotal: true }))
    .add('note', new Node({ forward: (_, x) => sizes.push(x.data.x.shape[0] ?? 0) }))
  await graph.run([train({ epochs: 1 })], { outDir: folder(t) })
  t.deepEqual(sizes, [4, 4, 2])
})

test('a pipeline is a list of functions over a sample record, typed from stage to stage', async (t) => {
  const data = new DatasetNode({
    dataset: numbers(4),
    batchSize: 4,
    pipeline: pipeline(
      ({ x }: { x: Tensor }) => ({ value: x.itemSync() }),
      ({ value }) => ({ value, square: value ** 2 }),
      ({ square }, { index }) => ({ square, index }),
    ),
  })
  const seen: number[][] = []
  const graph = new HyperGraph().add('data', data).add(
    'note',
    new Node({
      forward: (_, x) => {
        x.data.square satisfies Tensor
        seen.push(Array.from(x.data.square.dataSync()), Array.from(x.data.index.dataSync()))
      },
    }),
  )
  await graph.step({ steps: 1 })
  t.deepEqual(seen, [
    [0, 1, 4, 9],
    [0, 1, 2, 3],
  ])
})

test('cache: a second run reads no sample, and sees the same batches', async (t) => {
  const cache = { folder: folder(t), version: 1 }
  const [first, second] = [reading({ shuffle: true, cache }), reading({ shuffle: true, cache })]
  for (const { graph } of [first, second]) await graph.run([train({ epochs: 2 })], { outDir: folder(t), seed: 3 })
  t.deepEqual(first.read.toSorted(), [0, 1, 2, 3, 4])
  t.deepEqual(second.read, [])
  t.deepEqual(second.batches, first.batches)
})

test('workers end with the run, and never keep the process alive', async (t) => {
  const code = `
    import { DataLoader, DatasetNode, HyperGraph, Node, TensorDataset, train } from 'firn-ml'
    const dataset = new TensorDataset({ x: { dtype: 'float32', shape: [1], data: new Float32Array(8) } })
    const graph = new HyperGraph().add('data', new DatasetNode({ dataset, workers: 1 })).add('n', new Node({ forward: (_, x) => x.data.x }))
    await graph.run([train({ epochs: 1 })], { outDir: ${JSON.stringify(folder(t))} })
    await graph.step({ steps: 1 })
    for await (const batch of new DataLoader({ dataset, workers: 1 })) break
    console.log('done')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=firn-source', '--input-type=module', '-e', code], {
    timeout: 60_000,
  })
  t.regex(stdout, /done/)
})
