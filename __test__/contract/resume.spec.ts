// What checkpoints and resumed runs promise. Killed processes and damaged files are in __test__/run/kill.spec.ts.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { DatasetNode, LossNode, meter, MetricNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { type Json, joinState, readCheckpoint, splitState, type StateTree } from '../../ts/index.ts'
import { writeCheckpoint } from '../../ts/run/checkpointFile.ts'
import { folder, numbers, Weights } from '../graph/toys.ts'
import { everything } from '../run/everything.ts'
import { timeless } from '../run/program.ts'
import { call, HyperGraph, repeat, saveCheckpoint, train } from '../../ts/run/index.ts'
import { sgd } from '../../ts/optim/index.ts'

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

test('what does not fit is told of all at once', async (t) => {
  const graph = (names: readonly string[], x: number) => {
    const made = new HyperGraph().add('data', new DatasetNode({ dataset: numbers(x), batchSize: 1 }))
    for (const name of names) {
      made.add(name, new ModuleNode({ module: new Weights(), optimizers: sgd({ lr: 0.1 }), forward: (n) => n.module.forward() }))
      made.add(`${name}Loss`, new LossNode({ forward: (_, x) => x.get<ReturnType<Weights['forward']>>(name) }))
    }
    return made
  }
  const { outDir } = await graph(['a'], 4).run([train({ steps: 2 }), saveCheckpoint()], { outDir: folder(t) })
  const error = await t.throwsAsync(
    graph(['a', 'b'], 4).run([train({ steps: 2 }), saveCheckpoint()], { outDir: folder(t), resumeFrom: outDir }),
    { code: 'graph' },
  )
  for (const part of [/node '\*\/b' is not in the checkpoint/, /node '\*\/bLoss' is not in the checkpoint/])
    t.regex(error?.message ?? '', part)
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
