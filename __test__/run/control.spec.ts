import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { PassThrough } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import { call, evaluate, type HyperGraph, repeat, train } from '../../ts/index.ts'
import { askToSave } from '../../ts/run/ask.ts'
import { folder, logged } from '../graph/toys.ts'

/** A graph of one node, and what happens to it and to its run. */
function watched() {
  const log: string[] = []
  const graph = logged(log, 'A')
  for (const kind of ['paused', 'resumed', 'stopping'] as const) {
    graph.events.on(kind, ({ by, task }) => void log.push(`${kind} by ${by} in ${task?.label ?? 'no task'}`))
  }
  graph.events.on('checkpointSaved', ({ path }) => void log.push(basename(path)))
  return { graph, log }
}

/** Calls `ask` when the iteration of that number has ended, from 1. */
function atIteration(graph: HyperGraph, number: number, ask: () => void): void {
  let iterations = 0
  graph.events.on('iterationEnd', () => void (++iterations === number && ask()))
}

const turns = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turns(10)
}

const isPaused = (graph: HyperGraph) => until(() => graph.control.state === 'paused')

const label = 'train by steps, tags *'
const iteration = ['A.forward', 'A.backward', 'A.update']

test('pause holds the run between two iterations, resume lets it go on', async (t) => {
  const { graph, log } = watched()
  t.is(graph.control.state, 'idle')
  let paused: Promise<void> | undefined
  atIteration(graph, 1, () => (paused = graph.control.pause()))
  const run = graph.run([train({ steps: 2 })], { outDir: folder(t) })
  await isPaused(graph)
  await paused
  const before = ['A.prepare', ...iteration, `paused by control in ${label}`]
  t.deepEqual(log, before)
  await graph.control.pause()
  await graph.control.resume()
  t.is(graph.control.state, 'running')
  const { stopped } = await run
  t.is(stopped, null)
  t.deepEqual(log, [...before, `resumed by control in ${label}`, ...iteration, 'A.cleanUp'])
})

test('the time of a pause is not the time of an epoch', async (t) => {
  const { graph } = watched()
  atIteration(graph, 1, () => void graph.control.pause())
  const run = graph.run([train({ steps: 2, simulateEpoch: true })], { outDir: folder(t) })
  await isPaused(graph)
  const began = performance.now()
  await turns(1000)
  await graph.control.resume()
  const { history } = await run
  t.true(performance.now() - began > 990)
  t.true((history[0]?.seconds ?? 9) < 0.9)
})

test('save writes a checkpoint between two iterations, also while paused', async (t) => {
  const { graph, log } = watched()
  const paths: Promise<string>[] = []
  atIteration(graph, 1, () => {
    paths.push(graph.control.save())
    void graph.control.pause()
  })
  const run = graph.run([train({ steps: 3 })], { outDir: folder(t) })
  await isPaused(graph)
  log.length = 0
  t.is(basename(await graph.control.save()), 'E0S1.safetensors')
  t.deepEqual(log, ['E0S1.safetensors'])
  await graph.control.resume()
  const { outDir } = await run
  t.is(await paths[0], join(outDir, 'ckpts', 'E0S1.safetensors'))
})

test('stop saves a checkpoint, ends the epoch and the run, and says so in the result', async (t) => {
  const { graph, log } = watched()
  atIteration(graph, 2, () => void graph.control.stop())
  const never = call(() => t.fail())
  const { stopped, history } = await graph.run([repeat(2, [train({ steps: 5, simulateEpoch: true }), never])], { outDir: folder(t) })
  t.is(stopped?.by, 'control')
  t.is(basename(stopped?.checkpoint ?? ''), 'E0S2.safetensors')
  t.is(history[0]?.iterations, 2)
  const end = [`stopping by control in ${label}`, 'E0S2.safetensors', 'A.epochEnd', 'A.cleanUp']
  t.deepEqual(log, ['A.prepare', 'A.epochStart', ...iteration, ...iteration, ...end])
})

test('stop with save: false saves none; between two tasks it comes before the next', async (t) => {
  const { graph, log } = watched()
  const tasks = [train({ steps: 1 }), call(() => void graph.control.stop({ save: false })), evaluate({ steps: 1 })]
  const { stopped } = await graph.run(tasks, { outDir: folder(t) })
  t.deepEqual(stopped, { by: 'control', checkpoint: null })
  t.deepEqual(log, ['A.prepare', ...iteration, 'stopping by control in no task', 'A.cleanUp'])
})

test('a paused run can be stopped', async (t) => {
  const { graph, log } = watched()
  atIteration(graph, 1, () => void graph.control.pause())
  const run = graph.run([train({ steps: 3 })], { outDir: folder(t) })
  await isPaused(graph)
  await graph.control.stop({ save: false })
  t.deepEqual((await run).stopped, { by: 'control', checkpoint: null })
  t.is(log.filter((line) => line === 'A.update').length, 1)
  t.is(graph.control.state, 'idle')
})

test('a run can be directed from the moment that it is called', async (t) => {
  const { graph, log } = watched()
  const run = graph.run([train({ steps: 3 })], { outDir: folder(t) })
  t.is(graph.control.state, 'running')
  await graph.control.pause()
  t.deepEqual(log, ['paused by control in no task'])
  await graph.control.resume()
  t.is((await run).stopped, null)
  const fails = graph.run([train({ steps: 3 })], { outDir: folder(t), resumeFrom: 'nowhere' })
  await Promise.all([t.throwsAsync(graph.control.pause(), { message: /the run ended first/ }), t.throwsAsync(fails)])
  t.is(graph.control.state, 'idle')
})

test('what is asked for outside of a run, or too late, is refused', async (t) => {
  const { graph } = watched()
  for (const kind of ['pause', 'resume', 'save', 'stop'] as const) {
    await t.throwsAsync(graph.control[kind](), { code: 'graph', message: new RegExp(`control.${kind}: no run is at work`) })
  }
  let late: Promise<void> | undefined
  graph.events.on('runEnd', () => void (late = graph.control.pause()))
  await graph.run([train({ steps: 1 })], { outDir: folder(t) })
  await t.throwsAsync(async () => late, { code: 'graph', message: /the run ended first/ })
})

test.serial('a save that fails is reported, and costs nobody the run; a stop is put off', async (t) => {
  const { graph, log } = watched()
  const warnings: string[] = []
  const warn = console.warn
  console.warn = (message: string) => void warnings.push(message)
  t.teardown(() => void (console.warn = warn))
  const asked: Promise<unknown>[] = []
  const save = graph.saveCheckpoint.bind(graph)
  graph.saveCheckpoint = () => Promise.reject(new Error('the disk is full'))
  atIteration(graph, 1, () => asked.push(t.throwsAsync(graph.control.save(), { message: 'the disk is full' })))
  atIteration(graph, 2, () => asked.push(t.throwsAsync(graph.control.stop(), { message: 'the disk is full' })))
  const { stopped } = await graph.run([train({ steps: 3 })], { outDir: folder(t) })
  graph.saveCheckpoint = save
  await Promise.all(asked)
  t.is(stopped, null)
  t.is(log.filter((line) => line === 'A.update').length, 3)
  t.deepEqual(warnings, [
    'save: no checkpoint was saved, and the run goes on: the disk is full',
    'stop: no checkpoint was saved, and the run goes on: the disk is full',
  ])
})

/** A run that goes on until it is stopped, and its folder. */
async function endless(t: ExecutionContext, graph: HyperGraph) {
  const parent = folder(t)
  const run = graph.run([train({ steps: 1e9 })], { outDir: parent })
  await until(() => readdirSync(parent).length > 0)
  return { run, outDir: join(parent, readdirSync(parent)[0] ?? '') }
}

test('files in the folder of a run ask for the same, and go when it is done', async (t) => {
  const { graph, log } = watched()
  const { run, outDir } = await endless(t, graph)
  const touch = (name: string) => writeFileSync(join(outDir, name), '')
  const gone = (name: string) => until(() => !existsSync(join(outDir, name)))
  touch('SAVE')
  await gone('SAVE')
  t.is(readdirSync(join(outDir, 'ckpts')).length, 1)
  touch('PAUSE')
  await isPaused(graph)
  await turns(600)
  t.is(graph.control.state, 'paused')
  touch('SAVE')
  await gone('SAVE')
  await graph.control.resume()
  t.false(existsSync(join(outDir, 'PAUSE')))
  touch('STOP')
  const { stopped } = await run
  t.is(stopped?.by, 'file')
  t.true(existsSync(stopped?.checkpoint ?? ''))
  t.deepEqual(
    log.filter((line) => / by /.test(line)),
    [`paused by file in ${label}`, `resumed by control in ${label}`, `stopping by file in ${label}`],
  )
})

test('a run that a file paused goes on when the file is gone', async (t) => {
  const { graph } = watched()
  const { run, outDir } = await endless(t, graph)
  writeFileSync(join(outDir, 'PAUSE'), '')
  await isPaused(graph)
  rmSync(join(outDir, 'PAUSE'))
  await until(() => graph.control.state === 'running')
  await graph.control.stop({ save: false })
  t.is((await run).stopped?.by, 'control')
})

for (const [said, saves] of [
  ['\n', true],
  ['y\n', true],
  ['n\n', false],
  ['No\n', false],
  [null, true],
] as const) {
  test(`asked whether to save, ${JSON.stringify(said)} is ${saves ? 'yes' : 'no'}`, async (t) => {
    const input = Object.assign(new PassThrough(), { isTTY: true })
    const output = Object.assign(new PassThrough(), { isTTY: true })
    const answer = askToSave({ input, output })
    input.end(said)
    t.is(await answer, saves)
    t.is(String(output.read()), 'save a checkpoint? [Y/n] ')
  })
}

test('without a terminal nobody is asked', async (t) => {
  const output = new PassThrough()
  t.true(await askToSave({ input: new PassThrough(), output }))
  t.is(output.read(), null)
})
