// What checkpoints and resumed runs promise. Killed processes and damaged files are in __test__/run/kill.spec.ts.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { DatasetNode, LossNode, meter, MetricNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { type Json, joinState, readCheckpoint, splitState, type StateTree } from '../../ts/index.ts'
import { writeCheckpoint } from '../../ts/run/checkpointFile.ts'
import { folder, numbers } from '../graph/toys.ts'
import { everything, plain } from '../run/everything.ts'
import { timeless } from '../run/program.ts'
import { call, HyperGraph, repeat, saveCheckpoint, train } from '../../ts/run/index.ts'
import { adamW, type Optimizer, sgd } from '../../ts/optim/index.ts'
import { Linear } from '../../ts/nn/index.ts'
import { ones, rngState, zeros } from '../../ts/tensor/index.ts'

/** A run that is saved after this many iterations. */
async function savedAfter(t: ExecutionContext, count: number) {
  const { graph, tasks, trace, bits } = everything(0)
  let left = count
  let path = ''
  graph.events.on('iterationEnd', async () => {
    if (--left === 0) path = await graph.saveCheckpoint({ to: 'here.safetensors' })
  })
  await graph.run(tasks, { outDir: folder(t), seed: 7 })
  return { path, trace, bits: bits() }
}

/** Goes on from a file; what it saw, and what it made. */
async function goOn(t: ExecutionContext, path: string) {
  const { graph, tasks, trace, bits } = everything(1)
  await graph.run(tasks, { outDir: folder(t), resumeFrom: path })
  return { trace, bits: bits() }
}

// The names of records may hold a slash, so paths are lists.
type Path = readonly string[]

function changed(state: StateTree, path: Path, change: (value: Json) => Json): StateTree {
  const { tensors, json } = splitState(state)
  const walk = (value: Json, [key, ...rest]: Path): Json => {
    if (key === undefined) return change(value)
    if (typeof value !== 'object' || value === null) throw new Error(`no '${key}' to change`)
    if (Array.isArray(value)) return value.map((item: Json, i) => (i === Number(key) ? walk(item, rest) : item))
    const entries = Object.entries(value).map(([name, item]): [string, Json] => [name, name === key ? walk(item, rest) : item])
    return Object.fromEntries(entries)
  }
  return joinState(walk(json, path), tensors)
}

const more = (value: Json): Json => Number(value) + 1
const pieces: Readonly<Record<string, readonly [path: Path, change: (value: Json) => Json]>> = {
  'random streams': [['run', 'rng', 'calls'], more],
  'the scale of the losses': [['run', 'gradScaler', 'scale'], (value) => Number(value) * 2 ** 12],
  'the place in the data': [['nodes', 'train/data', 'position'], (value) => Number(value) - 1],
  'the pass over the data': [['nodes', 'train/data', 'epoch'], more],
  'the window at work': [['nodes', '*/net', 'optimizers', 'conv|norm', 'window', 'count'], (value) => (Number(value) + 1) % 3],
  'where schedules stand': [['nodes', '*/net', 'optimizers', 'conv|norm', 'steps'], (value) => Number(value) + 3],
  'meters of the epoch at work': [['nodes', '*/score', 'meter', 'accuracy', '0'], more],
  'the best value': [['nodes', '*/score', 'best', 'best', 'value'], () => 100],
  'epochs that are over': [['run', 'history'], () => []],
  'iterations so far': [['run', 'counters', 'trainIterations'], more],
  'the place in the tasks': [['run', 'place', '0', 'round'], () => 0],
  'how far the task is': [['run', 'place', '1', 'progress', 'epochSteps'], (value) => Number(value) - 1],
}

test.serial('everything that has state is in a checkpoint, and each piece of it matters', async (t) => {
  // In the second epoch, within a window.
  const { path, trace } = await savedAfter(t, 15)
  const { state } = await readCheckpoint(path)
  const rest = trace.slice(15)
  const outcome = async (from: string): Promise<string> => {
    const { graph, tasks, trace, bits } = everything(1)
    const result = await graph.run(tasks, { outDir: folder(t), resumeFrom: from })
    return JSON.stringify([trace, timeless(result), bits(), readdirSync(join(result.outDir, 'ckpts')).toSorted()])
  }
  const expected = await outcome(path)
  t.true(expected.startsWith(`[${JSON.stringify(rest)}`))
  const copy = join(folder(t), 'changed.safetensors')
  for (const [what, [at, change]] of Object.entries(pieces)) {
    const { state: again } = await readCheckpoint(path)
    await writeCheckpoint(copy, changed(again, at, change)).done
    t.not(await outcome(copy), expected, what)
  }
  // Written again as it is, it is the same; so the changes are what was seen.
  await writeCheckpoint(copy, state).done
  t.is(await outcome(copy), expected)
})

test.serial('losses, batches and weights of a resumed run are those of the run that was not stopped', async (t) => {
  for (const count of [1, 10, 22]) {
    const { path, trace, bits } = await savedAfter(t, count)
    t.deepEqual(await goOn(t, path), { trace: trace.slice(count), bits })
  }
})

test.serial('a save leaves the run as it was', async (t) => {
  const run = async (save: boolean) => {
    const { graph, tasks, trace, bits } = everything(0)
    if (save) graph.events.on('iterationEnd', async () => void (await graph.saveCheckpoint({ keep: 1 })))
    await graph.run(tasks, { outDir: folder(t), seed: 7 })
    return { trace, bits: bits() }
  }
  t.deepEqual(await run(true), await run(false))
})

test.serial('what does not fit is told of all at once, before any of it is loaded', async (t) => {
  const build = (size: number, samples: number, classes: number, rule: Optimizer) => {
    const net = (width: number, optimizers: Optimizer) =>
      new ModuleNode({ module: new Linear(1, width), optimizers, forward: (n) => n.module.forward(ones([1, 1])) })
    return new HyperGraph()
      .add('data', new DatasetNode({ dataset: numbers(samples), batchSize: 1 }))
      .add('a', net(size, sgd({ lr: 0.1, momentum: 0.9 })))
      .add('b', net(size, sgd({ lr: 0.1, momentum: 0.9 })))
      .add('c', net(2, rule))
      .add('loss', new LossNode({ forward: (_, x) => x.a.sum().add(x.b.sum()).add(x.c.sum()) }))
      .add(
        'score',
        new MetricNode({ meter: meter.confusion(classes), forward: () => [zeros([1, classes]), zeros([1], { dtype: 'int64' })] }),
      )
  }
  const tasks = [train({ steps: 2 }), saveCheckpoint()]
  const saved = await build(2, 4, 3, sgd({ lr: 0.1 })).run(tasks, { outDir: folder(t) })
  const graph = build(3, 5, 2, adamW({ lr: 0.1 }))
  graph.add('more', new ModuleNode({ module: new Linear(1, 1), forward: () => 0 })).gradScaler()
  await graph.step({ steps: 3 })
  const states = async () => Promise.all([...graph.selectNodes().values()].map(async (node) => plain(await node.stateDict())))
  const before = [await states(), rngState()]
  const error = await t.throwsAsync(graph.run([train({ epochs: 1 }), saveCheckpoint()], { outDir: folder(t), resumeFrom: saved.outDir }), {
    code: 'graph',
  })
  t.deepEqual(error?.message.split('\n').slice(1), [
    "  node '*/data': 4 batches in a pass over the data when saved, 5 now; the place in the data means nothing here",
    ...['a', 'b'].flatMap((name) => [
      `  node '*/${name}': mismatched: weight is float32 [3, 1] here, float32 [2, 1] in the state`,
      `  node '*/${name}': mismatched: bias is float32 [3] here, float32 [2] in the state`,
      `  node '*/${name}': optimizer '.*': weight: momentum_buffer is float32 [2, 1], expected float32 [3, 1]`,
      `  node '*/${name}': optimizer '.*': bias: momentum_buffer is float32 [2], expected float32 [3]`,
    ]),
    "  node '*/c': optimizer '.*': rule: adamW here, sgd in the state",
    "  node '*/score': meter: the saved state is a list of 10, expected a list of 5 numbers",
    "  node '*/more' is not in the checkpoint",
    "  tasks: item 0 is 'train by epochs, tags *', it was 'train by steps, tags *'",
    '  gradScaler: the run had none when saved, and the graph has one; call graph.gradScaler() as it was',
  ])
  t.deepEqual([await states(), rngState()], before)
})

test('the file has the name of the moment, the folder that of the run', async (t) => {
  const graph = new HyperGraph()
    .add('m', new MetricNode({ meter: meter.sum(), forward: () => [1] }))
    .add('n', new Node({ update: () => {} }))
  const log: string[] = []
  const { outDir } = await graph.run(
    [repeat(2, [train({ steps: 3, simulateEpoch: true }), saveCheckpoint(), call(() => void log.push('after'))])],
    { outDir: folder(t), runId: 'try' },
  )
  t.deepEqual(readdirSync(join(outDir, 'ckpts')).toSorted(), ['E1S3.safetensors', 'E2S6.safetensors'])
  t.deepEqual(log, ['after', 'after'])
})
