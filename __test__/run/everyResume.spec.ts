// Runs that are cut while tasks are at work in the middle of a training task, and go on.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { StopAllTasks } from '../../ts/graph/index.ts'
import { call, evaluate, repeat, type RunOptions, type RunResult, saveCheckpoint, train, type TrainOptions } from '../../ts/run/index.ts'
import { folder } from '../graph/toys.ts'
import { interrupted } from './interrupted.ts'
import { bits, timeless } from './program.ts'

type Options = Parameters<typeof interrupted>[1]

/** A training with a few things in the middle, each of which leaves its trace. */
function program(start: number, length: TrainOptions, options: Options) {
  const { graph, trace, module } = interrupted(start, options)
  const note = (word: string) => call(() => void trace.push(word))
  const tasks = [
    note('begins'),
    evaluate({ epochs: 1, tags: 'val' }),
    saveCheckpoint({ to: 'middle.safetensors' }),
    repeat(2, [note('again'), evaluate({ steps: 1, tags: 'val' })]),
    note('ends'),
  ]
  const training = train({ ...length, tags: 'train', every: { steps: 3, tasks } })
  return { graph, trace, module, tasks: [training, note('trained')] }
}

/** The run to its end, saved at every event; each checkpoint with the length of the trace at that time. */
async function whole(t: ExecutionContext, length: TrainOptions, options: Options) {
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

const lengths: Record<string, [TrainOptions, Options]> = {
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
