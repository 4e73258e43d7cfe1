// Signals and messages to a process in which a run is at work, and what is left for the next process.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { folder } from '../graph/toys.ts'
import { program, type Trace } from './program.ts'

const script = fileURLToPath(new URL('directed.ts', import.meta.url))

/** What directed.ts says of its run. */
interface Said {
  readonly iteration?: number
  readonly stopping?: string
  readonly stopped?: { readonly by: string; readonly checkpoint: string | null } | null
  readonly trace?: Trace
  readonly listeners?: number
  readonly firn?: string
  readonly checkpoint?: string | null
}

type Child = ReturnType<typeof fork>

/** Runs the program in a process, and does something to that when an iteration has ended. */
async function directed(t: ExecutionContext, mode: string, at: number, act: (child: Child) => void) {
  const child = fork(script, [folder(t), mode], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const said: Said[] = []
  let errors = ''
  child.stderr?.on('data', (text: Buffer) => void (errors += String(text)))
  child.on('message', (message: Said) => {
    said.push(message)
    if (message.iteration === at) act(child)
  })
  const [code, signal] = await once(child, 'close')
  return { code, signal, said, errors, end: said.find(({ stopped }) => stopped !== undefined) }
}

/** The run that nobody stops. */
async function whole(t: ExecutionContext): Promise<Trace> {
  const { graph, tasks, trace } = program(0)
  await graph.run(tasks, { outDir: folder(t), seed: 7 })
  return trace
}

const signals = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const

for (const [signal, code] of signals) {
  test.serial(`${signal} ends the step, saves and stops; the run that goes on from there is bit-equal`, async (t) => {
    const { said, end, errors, ...exit } = await directed(t, '', 7, (child) => child.kill(signal))
    t.like(exit, { code, signal: null }, errors)
    t.deepEqual(
      said.filter(({ stopping }) => stopping !== undefined),
      [{ stopping: signal }],
    )
    t.is(end?.stopped?.by, signal)
    t.is(end?.listeners, 0)
    t.regex(errors, new RegExp(`${signal}: stopping after this iteration; once more stops at once`))
    const before = end?.trace ?? []
    t.true(before.length >= 7)
    const { graph, tasks, trace } = program(1)
    await graph.run(tasks, { outDir: folder(t), resumeFrom: end?.stopped?.checkpoint ?? '' })
    const expected = await whole(t)
    t.true(trace.length > 0)
    t.deepEqual([...before, ...trace], expected)
  })
}

for (const [signal, code] of signals) {
  test.serial(`${signal} stops a run whose checkpoint cannot be saved, too, and says so`, async (t) => {
    const { said: _, end, errors, ...exit } = await directed(t, 'full', 2, (child) => child.kill(signal))
    t.like(exit, { code, signal: null }, errors)
    t.like(end?.stopped, { by: signal, checkpoint: null })
    t.true((end?.trace?.length ?? 0) < 6)
    t.regex(errors, new RegExp(`${signal}: no checkpoint was saved, and the run stops without one: the disk is full`))
  })
}

test.serial('the second Ctrl-C stops at once', async (t) => {
  const { code, signal, end, errors } = await directed(t, 'stuck', 1, (child) => {
    child.kill('SIGINT')
    child.stderr?.once('data', () => void child.kill('SIGINT'))
  })
  t.deepEqual([code, signal], [null, 'SIGINT'], errors)
  t.is(end, undefined)
})

test.serial('a program that listens itself is left alone', async (t) => {
  const { code, said } = await directed(t, 'own', 2, (child) => child.kill('SIGINT'))
  t.is(code, 7)
  t.true(said.every(({ iteration }) => iteration !== undefined))
})

test.serial('a parent process asks by message and is answered', async (t) => {
  const { code, said, end } = await directed(t, '', 3, (child) => {
    child.send({ firn: 'save' })
    child.send({ other: 'message' })
    child.send({ firn: 'stop' })
  })
  t.is(code, 0)
  const answers = said.filter(({ firn }) => firn !== undefined)
  t.deepEqual(
    answers.map(({ firn, checkpoint }) => [firn, basename(checkpoint ?? '').replace(/\d+/g, 'n')]),
    [
      ['save', 'EnSn.safetensors'],
      ['stop', 'EnSn.safetensors'],
    ],
  )
  t.is(end?.stopped?.by, 'message')
})
