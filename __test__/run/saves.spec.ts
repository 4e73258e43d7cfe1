// Files written while the run goes on: what waits for them, what does not, and what becomes of those that fail.
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import test from 'ava'
import { call, HyperGraph, loadCheckpoint, ModuleNode, Node, readCheckpoint, repeat, saveCheckpoint, train } from '../../ts/index.ts'
import { folder, Weights } from '../graph/toys.ts'

/** A graph with a state, and what happens in its runs. */
function logged() {
  const log: string[] = []
  const graph = new HyperGraph()
    .add('net', new ModuleNode({ module: new Weights(), forward: (n) => n.module.forward() }))
    .add('A', new Node({ update: (n) => void log.push(`update ${n.globalTrainSteps}`) }))
  graph.events.on('checkpointSaved', ({ path }) => void log.push(`saved ${basename(path)}`))
  return { graph, log }
}

test('a run goes on while a task writes its checkpoint, and ends when it is on the disk', async (t) => {
  const { graph, log } = logged()
  const { outDir } = await graph.run([saveCheckpoint(), train({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(log, ['update 1', 'saved E0S0.safetensors'])
  t.deepEqual(readdirSync(join(outDir, 'ckpts')), ['E0S0.safetensors'])
})

test('what saves of its own waits until the file is on the disk', async (t) => {
  const { graph, log } = logged()
  graph.events.on('iterationEnd', async () => void log.push(basename(await graph.saveCheckpoint())))
  await graph.run([train({ steps: 2 })], { outDir: folder(t) })
  t.deepEqual(
    log,
    [1, 2].flatMap((i) => [`update ${i}`, `saved E0S${i}.safetensors`, `E0S${i}.safetensors`]),
  )
})

test('a save waits for the one before; each file holds its own moment', async (t) => {
  const { graph, log } = logged()
  const to = (i: number) => join(outDir, `${i}.safetensors`)
  const outDir = folder(t)
  const saves: Promise<string>[] = []
  graph.events.on('iterationEnd', () => void saves.push(graph.saveCheckpoint({ to: to(saves.length + 1) })))
  await graph.run([train({ steps: 4 })], { outDir })
  t.deepEqual(
    log.filter((line) => line.startsWith('saved')),
    [1, 2, 3, 4].map((i) => `saved ${i}.safetensors`),
  )
  for (const i of [1, 2, 3, 4]) t.like((await readCheckpoint(to(i))).state, { run: { counters: { trainIterations: i } } })
})

test('a load, a read and a call wait for the file', async (t) => {
  const { graph, log } = logged()
  const outDir = folder(t)
  const [to, too] = [join(outDir, 'x.safetensors'), join(outDir, 'y.safetensors')]
  graph.events.on('checkpointLoaded', ({ path }) => void log.push(`loaded ${basename(path)}`))
  const look = call(() => void log.push(`there: ${existsSync(too)}`))
  await graph.run([saveCheckpoint({ to }), loadCheckpoint({ from: to }), saveCheckpoint({ to: too }), look], { outDir })
  t.true(log.includes('loaded x.safetensors'))
  t.deepEqual(log.slice(-2), ['saved y.safetensors', 'there: true'])
})

const nowhere = join('no', 'such', 'folder.safetensors')
const failure = { code: 'io', message: /cannot write '.*no.such.folder\.safetensors': ENOENT/ }

test('a file that cannot be written ends the run at its next boundary', async (t) => {
  const outDir = folder(t)
  for (const tasks of [
    [saveCheckpoint({ to: nowhere })],
    [saveCheckpoint({ to: nowhere }), train({ steps: 1e9 })],
    [saveCheckpoint({ to: nowhere }), repeat(1e9, [saveCheckpoint({ to: 'x.safetensors' })])],
    [call((graph) => void graph.saveCheckpoint({ to: nowhere })), train({ steps: 1e9 })],
    [call((graph) => void graph.saveCheckpoint({ to: nowhere }))],
    [call(async (graph) => void (await graph.saveCheckpoint({ to: nowhere })))],
  ])
    await t.throwsAsync(logged().graph.run(tasks, { outDir }), failure)
  const { graph } = logged()
  graph.events.on('iterationEnd', () => void graph.saveCheckpoint({ to: nowhere }))
  await t.throwsAsync(graph.run([train({ steps: 1e9 })], { outDir }), failure)
})

test('who waits for a save that fails may go on', async (t) => {
  const { graph, log } = logged()
  const save = call(async (graph) => void (await t.throwsAsync(graph.saveCheckpoint({ to: nowhere }), failure)))
  const refused = call(async (graph) => void (await t.throwsAsync(graph.saveCheckpoint({ keep: 0 }), { code: 'argument' })))
  await graph.run([save, refused, train({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(log, ['update 1'])
  await t.throwsAsync(graph.saveCheckpoint({ to: nowhere }), failure)
})

test('an old file stays until the new one is on the disk', async (t) => {
  const { graph } = logged()
  let ckpts = ''
  graph.events.on('checkpointSaved', ({ path }) => void (ckpts = dirname(path)))
  const block = call(() => void mkdirSync(join(ckpts, 'E0S1.safetensors')))
  const save = saveCheckpoint({ keep: 1 })
  await t.throwsAsync(graph.run([save, block, train({ steps: 1 }), save], { outDir: folder(t) }), {
    code: 'io',
    message: /cannot write '.*E0S1\.safetensors'/,
  })
  t.deepEqual(readdirSync(ckpts), ['E0S0.safetensors', 'E0S1.safetensors'])
})

test('an old file that cannot be removed ends the run with its name', async (t) => {
  const { graph } = logged()
  let ckpts = ''
  graph.events.on('checkpointSaved', ({ path }) => void (ckpts = dirname(path)))
  const save = saveCheckpoint({ keep: 1 })
  const swap = call(() => {
    // A folder is not removed as if it were a file.
    rmSync(join(ckpts, 'E0S0.safetensors'))
    mkdirSync(join(ckpts, 'E0S0.safetensors'))
  })
  await t.throwsAsync(graph.run([save, swap, train({ steps: 1 }), save], { outDir: folder(t) }), {
    code: 'io',
    message: /cannot remove '.*E0S0\.safetensors'/,
  })
  t.deepEqual(readdirSync(ckpts), ['E0S0.safetensors', 'E0S1.safetensors'])
})

test('what a process that died left unfinished goes when another saves beside it, or goes on from there', async (t) => {
  const ckpts = folder(t)
  const [old, young] = ['.x.safetensors.1.tmp', '.x.safetensors.2.tmp']
  const leave = () => {
    for (const name of [old, young]) writeFileSync(join(ckpts, name), 'part')
    utimesSync(join(ckpts, old), 1, 1)
  }
  const there = () => readdirSync(ckpts).filter((name) => name.endsWith('.tmp'))
  leave()
  const { graph } = logged()
  await graph.run([train({ steps: 1 }), saveCheckpoint({ to: join(ckpts, 'x.safetensors') })], { outDir: folder(t) })
  t.deepEqual(there(), [young])
  leave()
  const tasks = [train({ steps: 1 }), saveCheckpoint({ to: join(ckpts, 'x.safetensors') })]
  await logged().graph.run(tasks, { outDir: folder(t), resumeFrom: join(ckpts, 'x.safetensors') })
  t.deepEqual(there(), [young])
})
