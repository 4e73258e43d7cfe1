import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { call, evaluate, HyperGraph, Node, repeat, saveCheckpoint, StopAllTasks, train } from '../../ts/index.ts'
import { folder } from '../graph/toys.ts'
import { bits, program, timeless } from './program.ts'

/** Runs the program to its end, saving after every iteration; each checkpoint with the length of the trace at that time. */
async function whole(t: ExecutionContext, mixed = false) {
  const { graph, tasks, trace, module } = program(0, mixed)
  const saves: { path: string; at: number }[] = []
  let iterations = 0
  graph.events.on('iterationEnd', async () => {
    const path = await graph.saveCheckpoint({ to: `after${++iterations}.safetensors` })
    saves.push({ path, at: trace.length })
  })
  // Told of when it is on the disk; what is in it is the end of the training before.
  graph.events.on('checkpointSaved', ({ path }) => {
    const steps = /E\d+S(\d+)\.safetensors$/.exec(path)?.[1]
    if (steps !== undefined) saves.push({ path, at: trace.findLastIndex(([training, step]) => training && step === Number(steps)) + 1 })
  })
  const result = await graph.run(tasks, { outDir: folder(t), seed: 7 })
  return { trace, history: timeless(result), bits: bits(module), saves, outDir: result.outDir }
}

// One generator of random numbers for the whole process: runs come one after another.
test.serial('a run resumed at any iteration, or between tasks, goes on bit by bit as the one that was not stopped', async (t) => {
  const expected = await whole(t)
  t.is(expected.trace.length, 2 * (2 * 6 + 6 + 3))
  t.is(expected.saves.length, expected.trace.length + 2)
  const outDir = folder(t)
  for (const { path, at } of expected.saves) {
    const { graph, tasks, trace, module } = program(1)
    const result = await graph.run(tasks, { outDir, resumeFrom: path })
    t.deepEqual(trace, expected.trace.slice(at), path)
    t.deepEqual(timeless(result), expected.history, path)
    t.is(bits(module), expected.bits, path)
  }
})

test.serial('so does one under autocast and a gradScaler, within windows and where updates were skipped', async (t) => {
  const expected = await whole(t, true)
  const losses = new Set(expected.trace.map(([, , , loss]) => loss))
  t.true(losses.size > expected.trace.length / 2, 'most iterations changed something')
  const outDir = folder(t)
  for (const { path, at } of expected.saves) {
    const { graph, tasks, trace, module } = program(1, true)
    const result = await graph.run(tasks, { outDir, resumeFrom: path })
    t.deepEqual(trace, expected.trace.slice(at), path)
    t.deepEqual(timeless(result), expected.history, path)
    t.is(bits(module), expected.bits, path)
  }
  const plain = program(1)
  await t.throwsAsync(plain.graph.run(plain.tasks, { outDir, resumeFrom: expected.saves[0]?.path ?? '' }), {
    code: 'graph',
    message: /had a gradScaler when saved/,
  })
})

test.serial('a checkpoint that nobody waits for is of one moment', async (t) => {
  const expected = await whole(t)
  const { graph, tasks } = program(0)
  const saves: Promise<string>[] = []
  graph.events.on('iterationEnd', () => void saves.push(graph.saveCheckpoint({ to: `${saves.length}.safetensors` })))
  await graph.run(tasks, { outDir: folder(t), seed: 7 })
  const paths = await Promise.all(saves)
  for (const at of [3, 14]) {
    const resumed = program(1)
    await resumed.graph.run(resumed.tasks, { outDir: folder(t), resumeFrom: paths[at - 1] ?? '' })
    t.deepEqual(resumed.trace, expected.trace.slice(at))
  }
})

test.serial('a resumed run may be stopped and resumed again', async (t) => {
  const expected = await whole(t)
  const outDir = folder(t)
  let from = expected.saves[4]?.path ?? ''
  const pieces: unknown[] = []
  for (let done = false; !done;) {
    const { graph, tasks, trace, module } = program(1)
    let left = 9
    graph.events.on('iterationEnd', async () => {
      if (--left > 0) return
      from = await graph.saveCheckpoint({ to: 'again.safetensors' })
      throw new StopAllTasks()
    })
    const result = await graph.run(tasks, { outDir, resumeFrom: from })
    pieces.push(...trace)
    done = left > 0
    if (done) t.deepEqual([timeless(result), bits(module)], [expected.history, expected.bits])
  }
  t.deepEqual(pieces, expected.trace.slice(5))
})

for (const killAt of [7, 15]) {
  test.serial(`kill -9 in iteration ${killAt}, then resumeFrom the folder: losses, batches and weights are bit-equal`, async (t) => {
    const outDir = folder(t)
    const script = fileURLToPath(new URL('killed.ts', import.meta.url))
    const killed = await t.throwsAsync(promisify(execFile)(process.execPath, [script, outDir, String(killAt)]))
    t.like(killed, { signal: 'SIGKILL' })
    const [run = ''] = readdirSync(outDir)
    const expected = await whole(t)
    const { graph, tasks, trace, module } = program(1)
    graph.add('kill', new Node({ update: () => {} }))
    const result = await graph.run(tasks, { outDir: folder(t), resumeFrom: join(outDir, run) })
    t.deepEqual(trace, expected.trace.slice(killAt - (killAt % 3)))
    t.deepEqual([timeless(result), bits(module)], [expected.history, expected.bits])
  })
}

test.serial('a finished run has nothing left to do', async (t) => {
  const first = program(0)
  const outDir = folder(t)
  const { history } = await first.graph.run(first.tasks, { outDir })
  const path = await first.graph.saveCheckpoint({ to: 'end.safetensors' })
  const { graph, tasks, trace } = program(1)
  const resumed = await graph.run(tasks, { outDir, resumeFrom: path })
  t.deepEqual(trace, [])
  t.is(resumed.history.length, history.length)
})

function counted(log: string[]) {
  return new HyperGraph().add('A', new Node({ forward: (n) => log.push(`${n.globalTrainSteps}`) }))
}

test.serial('calls before the place are not made again; one that saves is not made twice', async (t) => {
  const outDir = folder(t)
  const make = (log: string[]) => {
    const say = (word: string) => call(() => void log.push(word))
    const save = call(async (graph) => {
      log.push('save')
      await graph.saveCheckpoint({ to: `${log.filter((word) => word === 'save').length}.safetensors` })
    })
    return [say('first'), repeat(2, [train({ steps: 1 }), save, say('after')]), say('last')]
  }
  const log: string[] = []
  const result = await counted(log).run(make(log), { outDir })
  t.deepEqual(log, ['first', '1', 'save', 'after', '2', 'save', 'after', 'last'])
  for (const [file, rest] of [
    ['1', ['after', '2', 'save', 'after', 'last']],
    ['2', ['after', 'last']],
  ] as const) {
    const again: string[] = []
    await counted(again).run(make(again), { outDir, resumeFrom: join(result.outDir, 'ckpts', `${file}.safetensors`) })
    t.deepEqual(again, rest)
  }
})

test.serial('a run may be resumed to go on for longer, but not with other tasks', async (t) => {
  const outDir = folder(t)
  const log: string[] = []
  const first = await counted([]).run([repeat(2, [train({ steps: 2 }), saveCheckpoint()])], { outDir })
  await counted(log).run([repeat(3, [train({ steps: 2 }), saveCheckpoint()])], { outDir, resumeFrom: first.outDir })
  t.deepEqual(log, ['5', '6'])
  for (const [other, message] of [
    [
      [repeat(2, [train({ steps: 2 }), evaluate({ steps: 1 }), saveCheckpoint()])],
      /tasks: item 0\.1 is 'evaluate by steps, tags \*', it was 'saveCheckpoint'/,
    ],
    [
      [repeat(2, [train({ epochs: 2 }), saveCheckpoint()])],
      /tasks: item 0\.0 is 'train by epochs, tags \*', it was 'train by steps, tags \*'/,
    ],
    [
      [evaluate({ steps: 1 }), repeat(2, [train({ steps: 2 }), saveCheckpoint()])],
      /tasks: item 0 is 'evaluate by steps, tags \*', it was 'repeat'/,
    ],
    [[], /tasks: item 0 is 'the end of the list', it was 'repeat'/],
  ] as const)
    await t.throwsAsync(counted([]).run(other, { outDir, resumeFrom: first.outDir }), { code: 'graph', message })
  // Saved at the end of a list, which may be longer now.
  const ended = await counted([]).run([train({ steps: 1 }), saveCheckpoint()], { outDir })
  const after: string[] = []
  await counted(after).run([train({ steps: 1 }), saveCheckpoint(), evaluate({ steps: 1 }), train({ steps: 1 })], {
    outDir,
    resumeFrom: ended.outDir,
  })
  t.deepEqual(after, ['1', '2'])
})

test.serial('a resumed run keeps its seed; nodes and batches must be the same', async (t) => {
  const outDir = folder(t)
  const { graph, tasks } = program(0)
  const first = await graph.run(tasks, { outDir, seed: 7 })
  await t.throwsAsync(program(0).graph.run(tasks, { outDir, resumeFrom: first.outDir, seed: 8 }), {
    code: 'argument',
    message: /had seed 7, 8 is given/,
  })
  const more = program(0)
  more.graph.remove('net')
  await t.throwsAsync(more.graph.run(tasks, { outDir, resumeFrom: first.outDir }), { code: 'graph' })
})

test.serial('what was saved outside of a run cannot be resumed', async (t) => {
  const outDir = folder(t)
  const path = await counted([]).saveCheckpoint({ to: join(outDir, 'x.safetensors') })
  await t.throwsAsync(counted([]).run([], { outDir, resumeFrom: path }), {
    code: 'graph',
    message: /saved outside of a run; .*loadCheckpoint/,
  })
})
