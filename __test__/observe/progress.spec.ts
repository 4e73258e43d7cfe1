import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import test from 'ava'
import { progress, type ProgressOptions } from '../../ts/observe/index.ts'
import { duration, rate, short, size } from '../../ts/observe/words.ts'
import { sgd } from '../../ts/optim/index.ts'
import { evaluate, repeat, saveCheckpoint, type TaskLike, train } from '../../ts/run/index.ts'
import { folder } from '../graph/toys.ts'
import { countReads } from './reads.ts'
import { toy } from './toy.ts'

interface Shown {
  /** What was printed, without colours and without what changes from run to run. */
  readonly lines: readonly string[]
  /** Every state of the bar. */
  readonly bars: readonly string[]
}

/** Runs tasks slowly enough for bars to be drawn, on a terminal or not. */
async function shown(
  outDir: string,
  tasks: readonly TaskLike[],
  options: ProgressOptions & { readonly terminal: boolean },
): Promise<Shown> {
  const { terminal, ...rest } = options
  const stream = Object.assign(new PassThrough(), { isTTY: terminal, columns: 160 })
  const lines: string[] = []
  const graph = toy([progress({ ...rest, stream, print: (line) => void lines.push(stripVTControlCharacters(line)) })], {
    a: sgd({ lr: 0.01 }),
    b: sgd({ lr: 0.0005 }),
  })
  graph.events.on('iterationEnd', () => sleep(70))
  await graph.run(tasks, { outDir })
  const bars = stripVTControlCharacters(String(stream.read() ?? '')).split(/(?<= left)/)
  return { lines: lines.map((line) => line.replace(/ {2}[\d,]+ samples\/s.*/, '')), bars }
}

test('on a terminal, a bar shows round, loss, rates, speed and time left', async (t) => {
  const { bars, lines } = await shown(folder(t), [repeat(2, [train({ epochs: 1 }), evaluate({ epochs: 1, tags: 'val' })])], {
    terminal: true,
  })
  const last = bars.findLast((bar) => bar.startsWith('train')) ?? ''
  t.regex(last, /^train {2}epoch 2\/2 {2}[█░]{20} {2}\d+\/10 {2}loss 0\.\d{4} {2}lr 5e-4 to 0\.01 {2}[\d,]+ samples\/s {2}\d s left/)
  t.is(lines.filter((line) => line.startsWith('train')).length, 2, 'lines come in any case')
})

test('on a terminal, evaluations and tasks of steps have their bars', async (t) => {
  const { bars, lines } = await shown(folder(t), [train({ steps: 9 }), evaluate({ epochs: 1 })], { terminal: true })
  t.true(bars.some((bar) => /^train {2}[█░]{20} {2}\d\/9 {2}loss/.test(bar)))
  t.true(bars.some((bar) => /^eval {3}[█░]{20} {2}\d\/10 {2}[\d,]+ samples\/s/.test(bar)))
  t.deepEqual(
    lines.slice(1).map((line) => line.split('  ')[0]),
    ['eval'],
  )
})

test('a task in the middle of another has its bar and a line with the step; then the other goes on with its own', async (t) => {
  const every = { steps: 4, tasks: [evaluate({ epochs: 1, tags: 'val' })] }
  const { bars, lines } = await shown(folder(t), [train({ epochs: 1, every })], { terminal: true })
  const kinds = bars.map((bar) => bar.split('  ')[0]?.trim()).filter((kind, i, all) => kind !== '' && kind !== all[i - 1])
  t.deepEqual(kinds, ['train', 'val', 'train', 'val', 'train'])
  t.true(bars.some((bar) => /^train {2}[█░]{20} {2}[89]\/10 {2}loss/.test(bar)))
  t.deepEqual(
    lines.slice(1).map((line) =>
      line
        .split('  ')
        .slice(0, 3)
        .join(' ')
        .replace(/ +/g, ' ')
        .replace(/ loss.*/, ''),
    ),
    ['val step 4', 'val step 8', 'train epoch 1'],
  )
})

test('elsewhere there is a line now and then, without any bar', async (t) => {
  const { bars, lines } = await shown(folder(t), [train({ epochs: 1 })], { terminal: false, every: 0.1 })
  t.deepEqual(bars, [''])
  t.true(lines.some((line) => /^train {2}\d\/10 {2}loss [01]\.\d{4} {2}lr 5e-4 to 0\.01$/.test(line)))
  t.regex(lines.at(-1) ?? '', /^train {2}epoch 1 {2}loss/)
  const quiet = await shown(folder(t), [train({ epochs: 1 })], { terminal: false, every: Infinity })
  t.is(quiet.lines.length, 2)
})

test('the curve of the loss is drawn at the end, when asked for; checkpoints are named', async (t) => {
  const { lines } = await shown(folder(t), [train({ epochs: 1 }), saveCheckpoint()], { terminal: false, chart: true })
  t.regex(lines.at(-2) ?? '', /^saved {2}.*E1S10\.safetensors {2}[\d.]+ k?B$/)
  t.regex(lines.at(-1) ?? '', /^\nloss over 10 steps\n +1\.00 [┤┼]/)
})

test.serial('losses are read a few times a run, however many there are', async (t) => {
  const graph = toy([progress({ print: () => {}, chart: true })])
  const reads = await countReads(() => graph.run([train({ epochs: 10 })], { outDir: folder(t) }))
  t.true(reads >= 20 && reads < 40, `${reads} reads for 100 iterations and 10 epochs: one for the losses, one for their mean`)
})

test('a mistaken option is named', (t) => {
  t.throws(() => progress({ every: 0 }), { code: 'argument', message: /every 0, expected a number of seconds above 0/ })
})

test('numbers as people read them', (t) => {
  t.deepEqual([0, 0.12345, 0.00001234, 2000, NaN].map(short), ['0.0000', '0.1235', '0.00001234', '2000', 'NaN'])
  t.deepEqual([0, 0.1, 0.001, 0.00123456, 0.0003, 3e-7].map(rate), ['0', '0.1', '0.001', '0.001235', '3e-4', '3e-7'])
  t.deepEqual([0.4, 59, 61, 7300].map(duration), ['0 s', '59 s', '1 min 1 s', '2 h 1 min'])
  t.deepEqual([0, 999, 1234, 5e9].map(size), ['0 B', '999 B', '1.2 kB', '5.0 GB'])
})
