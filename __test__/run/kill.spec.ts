// A run that is killed goes on bit by bit, wherever it was, and whatever became of its last file.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { folder } from '../graph/toys.ts'
import { everything, iterations } from './everything.ts'
import { timeless } from './program.ts'

let whole:
  | Promise<{ updates: { stepped: number; skipped: number }; trace: unknown[]; history: unknown; bits: string; files: string[] }>
  | undefined

/** The run that nobody stops. */
async function uninterrupted(t: ExecutionContext) {
  const { graph, tasks, trace, bits, updates } = everything(0)
  const result = await graph.run(tasks, { outDir: folder(t), seed: 7 })
  return { updates, trace, history: timeless(result), bits: bits(), files: readdirSync(join(result.outDir, 'ckpts')).toSorted() }
}

const script = fileURLToPath(new URL('killedEverything.ts', import.meta.url))
const inRename = new URL('killedInRename.ts', import.meta.url).href

/** The folder of a run that comes to this end in an iteration. */
async function ended(t: ExecutionContext, how: 'killed' | 'full' | 'saving', at: number): Promise<string> {
  const outDir = folder(t)
  const flags = how === 'saving' ? ['--import', inRename] : []
  const error = await t.throwsAsync(promisify(execFile)(process.execPath, [...flags, script, outDir, how, String(at)]))
  if (how === 'full') t.regex(error?.message ?? '', /cannot write '.*\.safetensors'/)
  else t.like(error, { signal: 'SIGKILL' })
  const [run = ''] = readdirSync(outDir)
  return join(outDir, run)
}

/** What is warned of until the test is over. */
function warnings(t: ExecutionContext): string[] {
  const lines: string[] = []
  const { warn } = console
  console.warn = (text: string) => void lines.push(text)
  t.teardown(() => void (console.warn = warn))
  return lines
}

/** Goes on from a folder, and compares with the run that nobody stopped. @returns the first iteration that was run again */
async function resumed(t: ExecutionContext, from: string): Promise<number> {
  const expected = await (whole ??= uninterrupted(t))
  const { graph, tasks, trace, bits } = everything(1)
  const result = await graph.run(tasks, { outDir: folder(t), resumeFrom: from })
  const begun = iterations - trace.length
  t.deepEqual(trace, expected.trace.slice(begun), 'batches and losses')
  t.deepEqual(timeless(result), expected.history, 'epochs')
  t.is(bits(), expected.bits, 'parameters, buffers, states and averages')
  return begun
}

test.serial('the run is one in which everything happens', async (t) => {
  const { updates, trace, files } = await (whole ??= uninterrupted(t))
  t.is(trace.length, iterations)
  t.true(updates.stepped > 6 && updates.skipped > 0, JSON.stringify(updates))
  t.true(files.length > 0 && files.every((name) => name.includes('score.loss')), files.join(' '))
})

for (const at of [4, 5, 6, 8, 11, 12, 15, 18, 19, 23, 26, 31]) {
  test.serial(`kill -9 in iteration ${at} of ${iterations}: losses, batches, weights, states and averages are bit-equal`, async (t) => {
    const begun = await resumed(t, await ended(t, 'killed', at))
    t.true(begun <= at && begun > at - 4, `went on at ${begun}`)
  })
}

/** Paths of the checkpoints of a run, newest first. */
function newestFirst(run: string): string[] {
  const ckpts = join(run, 'ckpts')
  const paths = readdirSync(ckpts).map((name) => join(ckpts, name))
  return paths.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
}

const damages: Readonly<Record<string, (path: string) => void>> = {
  'cut in half': (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
  'cut to nothing': (path) => truncateSync(path, 0),
  'cut by a byte': (path) => truncateSync(path, statSync(path).size - 1),
  'changed by a bit': (path) => {
    const bytes = readFileSync(path)
    const middle = bytes.length >> 1
    bytes[middle] = (bytes[middle] ?? 0) ^ 4
    writeFileSync(path, bytes)
  },
  'something else': (path) => writeFileSync(path, 'PK\u0003\u0004 something else altogether'),
}

test.serial('a damaged file is passed over with a warning that says so, and the one before it is taken', async (t) => {
  const run = await ended(t, 'killed', 15)
  const [newest = ''] = newestFirst(run)
  const intact = readFileSync(newest)
  const { atime, mtime } = statSync(newest)
  const lines = warnings(t)
  for (const [damage, apply] of Object.entries(damages)) {
    writeFileSync(newest, intact)
    apply(newest)
    utimesSync(newest, atime, mtime)
    lines.length = 0
    const begun = await resumed(t, run)
    t.true(begun < 12, `${damage}: went on at ${begun}`)
    t.is(lines.length, 1, damage)
    t.regex(lines[0] ?? '', /checkpoint refused, trying the one before: .*012\.safetensors: /, damage)
  }
})

const limited = process.platform === 'linux' ? test.serial : test.serial.skip // No other system limits a process at work.
limited('a disk that fills during a save: the run says which file, leaves no part of it, and goes on from the one before', async (t) => {
  const run = await ended(t, 'full', 14)
  t.deepEqual(
    readdirSync(join(run, 'ckpts')).filter((name) => !/^(E|004|008|012)/.test(name)),
    [],
  )
  t.is(await resumed(t, run), 12)
})

test.serial('killed during a save: what there is of the file is left out with a warning that says so', async (t) => {
  const run = await ended(t, 'saving', 14)
  const lines = warnings(t)
  t.is(await resumed(t, run), 12)
  t.is(lines.length, 1)
  t.regex(lines[0] ?? '', /016\.safetensors\..*\.tmp' was cut off while it was written; it is left out/)
})
