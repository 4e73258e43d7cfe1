import { spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { meter, MetricNode, Node } from '../../ts/graph/index.ts'
import { csv, jsonl } from '../../ts/observe/index.ts'
import { sgd } from '../../ts/optim/index.ts'
import { call, evaluate, repeat, saveCheckpoint, train } from '../../ts/run/index.ts'
import { folder } from '../graph/toys.ts'
import { toy } from './toy.ts'

const lines = (path: string): string[] => readFileSync(path, 'utf8').split('\n')
const objects = (path: string) =>
  lines(path)
    .slice(0, -1)
    .map((line): Record<string, unknown> => JSON.parse(line))

test('jsonl: the run, steps with all their values, epochs, the end', async (t) => {
  const graph = toy([jsonl({ every: 4 })])
  const { outDir } = await graph.run([train({ epochs: 1, tags: ['a', 'b'] }), evaluate({ epochs: 1 })], { outDir: folder(t), seed: 3 })
  const log = objects(join(outDir, 'logs', 'log.jsonl'))
  t.deepEqual(
    log.map(({ kind, mode = '', tags = '', step = '' }) => `${kind} ${mode} ${tags} ${step}`),
    ['run   ', 'step train a,b 4', 'step train a,b 8', 'epoch train a,b 10', 'epoch eval * 10', 'end   '],
  )
  t.true(log.every(({ time }) => new Date(String(time)).toISOString() === time))
  t.like(log[0], { device: 'cpu', seed: 3, outDir })
  const { values } = log[1] ?? {}
  t.deepEqual(Object.keys(Object(values)).toSorted(), [
    'gradNorm/net',
    'loss',
    'lr/net',
    'run/iterationsPerSecond',
    'run/memoryBytes',
    'run/samplesPerSecond',
  ])
  t.like(values, { 'lr/net': 0.01 })
  t.like(log[3], { epoch: 1, iterations: 10, samples: 20 })
  t.deepEqual(Object.keys(Object(log[4]?.['metrics'])), ['loss'])
})

test('jsonl: why something was stopped early', async (t) => {
  const earlyStop = { mode: 'min', patience: 1 } as const
  const graph = toy([jsonl()]).add('score', new MetricNode({ meter: meter.value(), forward: (n) => [n.globalAutoSteps], earlyStop }))
  const { outDir, earlyStops } = await graph.run([repeat(5, [evaluate({ steps: 1, simulateEpoch: true })])], { outDir: folder(t) })
  const { time: _, ...stop } = objects(join(outDir, 'logs', 'log.jsonl')).find(({ kind }) => kind === 'stop') ?? {}
  const { step, epoch, ...why } = earlyStops[0] ?? {}
  t.deepEqual(stop, { kind: 'stop', step, epoch, why })
})

test('jsonl: only the vitals that were asked for; texts, and numbers that are not finite', async (t) => {
  const graph = toy([jsonl({ every: 5, vitals: [] })]).add(
    'watch',
    new Node({
      forward: (n) => {
        n.board.text('note', 'two\nlines')
        n.board.scalar('broken', NaN)
      },
    }),
  )
  const { outDir } = await graph.run([train({ steps: 5 })], { outDir: folder(t) })
  const log = objects(join(outDir, 'logs', 'log.jsonl'))
  t.deepEqual(
    log.map(({ kind }) => kind),
    ['run', ...Array<string>(5).fill('text'), 'step', 'end'],
  )
  t.like(log[1], { mode: 'train', step: 1, node: 'watch', name: 'note', text: 'two\nlines' })
  t.deepEqual(Object.keys(Object(log.at(-2)?.['values'])), ['broken', 'loss'])
  t.like(log.at(-2), { values: { broken: null } })
})

test('jsonl: a run that fails says why', async (t) => {
  const outDir = folder(t)
  const graph = toy([jsonl()]).add(
    'bad',
    new Node({
      update: () => {
        throw new Error('broken')
      },
    }),
  )
  await t.throwsAsync(graph.run([train({ steps: 1 })], { outDir }))
  const [path = ''] = globSync(join(outDir, '*/logs/log.jsonl'))
  t.regex(String(objects(path).at(-1)?.['error']), /node 'bad' in update.*broken/)
})

test('csv: a row a value; names with commas and quotes are quoted', async (t) => {
  const graph = toy([csv({ every: 5, vitals: ['lr'] })], { 'a|"b", c': sgd({ lr: 0.5 }), b: sgd({ lr: 0.25 }) })
  const { outDir } = await graph.run([train({ epochs: 1, tags: ['x', 'y'] })], { outDir: folder(t) })
  const rows = lines(join(outDir, 'logs', 'log.csv'))
  t.is(rows[0], 'time,mode,tags,epoch,step,name,value')
  t.deepEqual(
    rows.slice(1, -1).map((row) => row.replace(/^[^,]*,/, '').replace(/^(.*(?:loss|seconds)),[\d.e-]+$/, '$1')),
    [
      'train,"x,y",0,5,"lr/net/a|""b"", c",0.5',
      'train,"x,y",0,5,lr/net/b,0.25',
      'train,"x,y",0,5,loss',
      'train,"x,y",0,10,"lr/net/a|""b"", c",0.5',
      'train,"x,y",0,10,lr/net/b,0.25',
      'train,"x,y",0,10,loss',
      'train,"x,y",1,10,epoch/loss',
      'train,"x,y",1,10,epoch/samples,20',
      'train,"x,y",1,10,epoch/seconds',
    ],
  )
})

test('a file of another name; a second run goes on with an absolute one', async (t) => {
  const outDir = folder(t)
  const path = join(outDir, 'all.csv')
  const graph = toy([csv({ file: path, every: 10, vitals: [] }), jsonl({ file: 'mine.jsonl' })])
  const first = await graph.run([train({ steps: 10 })], { outDir })
  await graph.run([train({ steps: 10 })], { outDir })
  t.true(existsSync(join(first.outDir, 'logs', 'mine.jsonl')))
  t.deepEqual(
    lines(path).map((row) => row.split(',')[5]),
    ['name', 'loss', 'loss', undefined],
  )
})

test('what was logged before a checkpoint is in the file when the checkpoint is there', async (t) => {
  const graph = toy([jsonl({ every: 1 })])
  const outDir = folder(t)
  const log = (): string[] => globSync(join(outDir, '*/logs/log.jsonl')).flatMap(lines)
  const seen: number[] = []
  await graph.run([train({ steps: 3 }), saveCheckpoint(), call(() => void seen.push(log().length)), train({ steps: 1 })], { outDir })
  t.deepEqual(seen, [1 + 3 + 1])
})

test('a run that is killed leaves whole lines', async (t) => {
  const outDir = folder(t)
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL('killed.ts', import.meta.url)), outDir], {
    stdio: 'inherit',
  })
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  const read = (): string =>
    globSync(join(outDir, '*/logs/log.jsonl'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('')
  while (read().split('\n').length < 100 && child.exitCode === null) await sleep(50)
  child.kill('SIGKILL')
  t.is(await ended, 'SIGKILL')
  const whole = read().split('\n').slice(0, -1)
  t.true(whole.length >= 99)
  t.deepEqual(
    whole.slice(1).map((line): unknown => JSON.parse(line).step),
    whole.slice(1).map((_, i) => i + 1),
  )
})

test('options are checked', (t) => {
  t.throws(() => jsonl({ every: 0 }), { code: 'argument', message: /jsonl: every 0, expected a whole number from 1/ })
  // @ts-expect-error: for callers without types
  t.throws(() => csv({ evry: 1 }), { code: 'argument', message: /did you mean 'every'/ })
  // @ts-expect-error: for callers without types
  t.throws(() => toy([csv({ vitals: ['rate'] })]), { code: 'argument', message: /vitals: 'rate' given, expected some of lr, gradNorm/ })
})
