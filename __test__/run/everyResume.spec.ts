// Runs that are cut while tasks are at work in the middle of a training task, and go on.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { StopAllTasks } from '../../ts/graph/index.ts'
import { call, evaluate, repeat, type RunOptions, type RunResult, saveCheckpoint, train, type TrainOptions } from '../../ts/run/index.ts'
import { folder } from '../graph/toys.ts'
import { interrupted, type InterruptedOptions, program } from './interrupted.ts'
import { bits, timeless } from './program.ts'

/** The run to its end, saved at every event; each checkpoint with the length of the trace at that time. */
async function whole(t: ExecutionContext, length: TrainOptions, options: InterruptedOptions) {
  const { graph, tasks, trace, module } = program(0, length, options)
  const saves: { path: string; at: number }[] = []
  const outDir = folder(t)
  let saved = 0
  for (const kind of ['taskStart', 'taskEnd', 'epochStart', 'epochEnd', 'iterationEnd'] as const) {
    graph.events.on(kind, async () => {
      const at = trace.length
      const path = await graph.saveCheckpoint({ to: join(outDir, `${kind}${saved++}.safetensors`) })
      saves.push({ path, at })
    })
  }
  const result = await graph.run(tasks, { outDir, seed: 7 })
  return { trace, history: timeless(result), bits: bits(module), saves }
}

const lengths: Record<string, [TrainOptions, InterruptedOptions]> = {
  'by steps': [{ steps: 6 }, {}],
  'by epochs': [{ epochs: 2 }, {}],
  'by epochs, in windows, on the data of the evaluation': [{ epochs: 2 }, { windows: 4, shared: true }],
}

for (const [name, [length, options]] of Object.entries(lengths)) {
  test.serial(`training ${name}: resumed anywhere, nothing is done twice and nothing is left out, to the last bit`, async (t) => {
    const expected = await whole(t, length, options)
    t.is(expected.trace.filter((line) => line === 'trained').length, 1)
    t.true(expected.trace.filter((line) => line === 'begins').length >= 1)
    t.is(expected.trace.filter((line) => line === 'again').length, 2 * expected.trace.filter((line) => line === 'ends').length)
    const outDir = folder(t)
    for (const { path, at } of expected.saves) {
      const { graph, tasks, trace, module } = program(1, length, options)
      const result = await graph.run(tasks, { outDir, resumeFrom: path })
      t.deepEqual(trace, expected.trace.slice(at), path)
      t.deepEqual(timeless(result), expected.history, path)
      t.is(bits(module), expected.bits, path)
    }
  })
}

test.serial('a run that is stopped again and again, in the middle of evaluations too, ends as the one that was not', async (t) => {
  const length = { steps: 6 }
  const expected = await whole(t, length, {})
  const outDir = folder(t)
  const pieces: string[] = []
  let resume: RunOptions | null = { seed: 7 }
  while (resume !== null) {
    const { graph, tasks, trace, module } = program(pieces.length === 0 ? 0 : 1, length, {})
    let left = 5
    graph.events.on('iterationEnd', () => void (--left === 0 && graph.control.stop()))
    const result: RunResult = await graph.run(tasks, { outDir, ...resume })
    pieces.push(...trace)
    const checkpoint = result.stopped?.checkpoint ?? null
    resume = checkpoint === null ? null : { resumeFrom: checkpoint }
    if (checkpoint === null) t.deepEqual([timeless(result), bits(module)], [expected.history, expected.bits])
  }
  t.deepEqual(pieces, expected.trace)
})

test.serial('kill -9 in the middle of an evaluation, then resumeFrom the folder: bit-equal', async (t) => {
  const outDir = folder(t)
  const script = fileURLToPath(new URL('killedInMiddle.ts', import.meta.url))
  // Three iterations of training, two of the first evaluation.
  const killed = await t.throwsAsync(promisify(execFile)(process.execPath, [script, outDir, '6']))
  t.like(killed, { signal: 'SIGKILL' })
  const expected = await whole(t, { steps: 6 }, {})
  const { graph, tasks, trace, module } = program(1, { steps: 6 })
  const result = await graph.run(tasks, { outDir: folder(t), resumeFrom: join(outDir, readdirSync(outDir)[0] ?? '') })
  // Behind the word in which the middle begins, and five iterations.
  t.deepEqual(trace, expected.trace.slice(6))
  t.deepEqual([timeless(result), bits(module)], [expected.history, expected.bits])
})

test.serial('StopAllTasks in the middle ends the training around it in good order, with the record of its epoch', async (t) => {
  const { graph, trace } = interrupted(0)
  const stop = call(() => {
    throw new StopAllTasks('enough')
  })
  const every = { steps: 2, tasks: [evaluate({ epochs: 1, tags: 'val' }), stop, call(() => t.fail())] }
  const { history, stopped } = await graph.run([train({ epochs: 2, tags: 'train', every }), call(() => t.fail())], { outDir: folder(t) })
  t.is(stopped?.by, 'StopAllTasks')
  t.deepEqual(
    history.map(({ training, iterations, samples }) => [training, iterations, samples]),
    [
      [false, 3, 12],
      [true, 2, 8],
    ],
  )
  const losses = trace.filter((line) => line.startsWith('train')).map((line) => Number(line.split(' ').at(-1)))
  t.is(history[1]?.metrics['score'], losses.reduce((sum, loss) => sum + loss, 0) / 2)
})

test.serial('other tasks in the middle than those of the run that was stopped are refused by their place', async (t) => {
  const run = (word: string, from?: string) => {
    const { graph } = interrupted(0)
    const middle = word === 'save' ? saveCheckpoint() : evaluate({ steps: 1, tags: 'val' })
    const every = { steps: 2, tasks: [evaluate({ epochs: 1, tags: 'val' }), middle] }
    return graph.run([train({ steps: 3, tags: 'train', every })], { outDir: folder(t), ...(from !== undefined && { resumeFrom: from }) })
  }
  const { outDir } = await run('save')
  await t.throwsAsync(run('other', outDir), {
    code: 'graph',
    message: /item 0\.1 is 'evaluate by steps, tags val', it was 'saveCheckpoint'/,
  })
})

test.serial('what is around a task is the same in a run that is resumed in the middle of it', async (t) => {
  const around = async (from: string | null) => {
    const { graph } = interrupted(0)
    const seen: unknown[] = []
    graph.events.on('taskStart', ({ label, rounds, works }) => void seen.push([label, rounds, works]))
    const every = {
      steps: 1,
      tasks: [repeat(2, [evaluate({ epochs: 2, tags: 'val' }), saveCheckpoint({ to: `${seen.length}.safetensors` })])],
    }
    const { outDir } = await graph.run([repeat(2, [train({ steps: 1, tags: 'train', every })])], {
      outDir: folder(t),
      ...(from !== null && { resumeFrom: from }),
    })
    return { seen, path: join(outDir, 'ckpts', '0.safetensors') }
  }
  const { seen, path } = await around(null)
  const training = 'train by steps, tags train'
  const evaluation = 'evaluate by epochs, tags val'
  const [run, outer, task] = [
    { label: 'run', key: '' },
    { label: 'repeat', key: '0' },
    { label: training, key: '0:0/0' },
  ]
  const [first, second] = [
    { round: 1, times: 2 },
    { round: 2, times: 2 },
  ]
  t.deepEqual(seen.slice(0, 3), [
    [training, [first], [run, outer]],
    ...[first, second].map((round, i) => [
      evaluation,
      [first, round],
      [run, outer, task, { label: 'repeat', key: '0:0/0:1/0' }, { label: evaluation, key: `0:0/0:1/0:${i}/0` }],
    ]),
  ])
  // The file was saved last in the second evaluation of the second round.
  const resumed = await around(path)
  t.deepEqual(resumed.seen, seen.slice(3, 4))
})
