import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { decode } from 'fast-png'
import { PbfReader } from 'pbf'
import { Node } from '../../ts/graph/index.ts'
import { histogramOf, spreadOf } from '../../ts/graph/histogram.ts'
import { tensorBoard } from '../../ts/observe/index.ts'
import { recordOf } from '../../ts/observe/tensorBoard/eventFile.ts'
import { sessionEnd, sessionStart } from '../../ts/observe/tensorBoard/hparams.ts'
import { call, evaluate, saveCheckpoint, train } from '../../ts/run/index.ts'
import { tensor } from '../../ts/tensor/index.ts'
import { folder } from '../graph/toys.ts'
import { toy } from './toy.ts'

const fixture = JSON.parse(readFileSync(new URL('../fixtures/event_files.json', import.meta.url), 'utf8'))

/** Bytes stand as lists in JSON. */
const withBytes = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withBytes)
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, ['png', 'hparams'].includes(key) ? Uint8Array.from(item) : withBytes(item)]),
  )
}

for (const { event, record } of fixture.records) {
  test(`a record is byte for byte what TensorBoard's own writer makes: ${Object.keys(event).at(-1)} ${event.summaries?.[0].tag ?? ''}`, (t) => {
    t.is(Buffer.from(Reflect.apply(recordOf, undefined, [withBytes(event)])).toString('hex'), record)
  })
}

for (const { hparams, failed, content } of fixture.sessions) {
  test(`messages of hyper-parameters are those of TensorBoard's plugin: ${JSON.stringify(hparams ?? { failed })}`, (t) => {
    const time = fixture.records[0].event.time
    t.deepEqual([...(hparams === undefined ? sessionEnd(failed, time) : sessionStart(hparams, time))], content)
  })
}

for (const [i, { values, limits, counts }] of fixture.histograms.entries()) {
  test(`histograms count as torch.utils.tensorboard does: case ${i}`, (t) => {
    const spread = spreadOf(histogramOf(tensor(values)).dataSync(), values.length)
    t.deepEqual(spread.counts, counts)
    t.deepEqual(spread.limits, limits)
  })
}

interface Read {
  step: number
  start: boolean
  version: string
  /** By tag: a number, or which kind of value. */
  values: Record<string, unknown>
  png: Uint8Array | null
  /** Of a graph, what each node reads. */
  graph: Record<string, string[]> | null
}

/** The events of the only event file in a folder. */
function read(path: string): Read[] {
  const [file = ''] = globSync(join(path, 'events.out.tfevents.*'))
  const bytes = readFileSync(file)
  const events: Read[] = []
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at))
    const event: Read = { step: 0, start: false, version: '', values: {}, png: null, graph: null }
    events.push(new PbfReader(bytes.subarray(at + 12, at + 12 + length)).readFields(readEvent, event))
    at += 12 + length + 4
  }
  return events
}

function readEvent(field: number, event: Read, from: PbfReader): void {
  if (field === 2) event.step = from.readVarint(true)
  if (field === 3) event.version = from.readString()
  if (field === 4) event.graph = new PbfReader(from.readBytes()).readFields(readGraph, {})
  if (field === 5) from.readMessage((_, into, summary) => void summary.readMessage(readValue, { event: into, tag: '' }), event)
  if (field === 7) event.start = true
}

function readGraph(_: number, graph: Record<string, string[]>, from: PbfReader): void {
  const node = { name: '', reads: new Array<string>() }
  from.readMessage((field, into, inner) => {
    if (field === 1) into.name = inner.readString()
    if (field === 3) into.reads.push(inner.readString())
  }, node)
  graph[node.name] = node.reads
}

function readValue(field: number, into: { event: Read; tag: string }, from: PbfReader): void {
  const { values } = into.event
  if (field === 1) into.tag = from.readString()
  if (field === 2) values[into.tag] = from.readFloat()
  if (field === 4)
    from.readMessage((inner, event, image) => void (inner === 4 && (event.png = Uint8Array.from(image.readBytes()))), into.event)
  const kind = { 4: 'image', 5: 'histogram', 9: 'plugin' }[field]
  if (kind !== undefined) values[into.tag] = kind
}

const pixels = [0, 255, 128, 64, 1, 2]

test('training and evaluations are in folders of their own; every kind of value is there, at its step', async (t) => {
  const graph = toy([tensorBoard({ every: 5, vitals: ['lr'], hparams: { width: 'narrow' } })]).add(
    'watch',
    new Node({
      forward: (n) => {
        n.board.histogram('spread', tensor([1, 2]))
        n.board.image('picture', tensor(pixels, { dtype: 'uint8' }).reshape([1, 2, 3]))
        n.board.text('note', 'text')
      },
    }),
    { tags: 'train' },
  )
  const tasks = [train({ epochs: 1, tags: 'train' }), evaluate({ epochs: 1, tags: ['val', 'small'] })]
  const { outDir, history } = await graph.run(tasks, { outDir: folder(t) })
  const logs = join(outDir, 'logs', 'tensorboard')
  const [first, seen, start, ...events] = read(join(logs, 'train'))
  t.is(first?.version, 'brain.Event:2')
  t.deepEqual(seen?.graph, { data: [], net: [], loss: ['net'], watch: [] })
  t.like(start, { start: true, step: 5 })
  const kinds = events.map(({ step, values }) => [step, Object.keys(values).join(' ')])
  const own = (step: number) => ['spread', 'picture', 'note'].map((name) => [step, name])
  t.deepEqual(kinds, [...own(5), ...own(10), [5, 'lr/net loss'], [10, 'lr/net loss'], [10, 'epoch/loss epoch/seconds']])
  const image = events.find(({ png }) => png !== null)?.png ?? new Uint8Array()
  const { data, ...size } = decode(image)
  t.like(size, { width: 3, height: 2, channels: 1, depth: 8 })
  t.deepEqual([...data], pixels)
  t.is(events.at(-1)?.values['epoch/loss'], Math.fround(Number(history[0]?.metrics['loss'])))
  t.deepEqual(
    read(logs).flatMap(({ values }) => Object.keys(values)),
    ['_hparams_/session_start_info', '_hparams_/session_end_info'],
  )
  const [table = ''] = globSync(join(logs, 'events.out.tfevents.*'))
  for (const entry of ['seed', 'device', 'cpu', 'width', 'narrow']) t.true(readFileSync(table, 'latin1').includes(entry), entry)
  const evaluated = read(join(logs, 'small_val')).slice(3)
  t.deepEqual(
    evaluated.map(({ step, values }) => [step, ...Object.keys(values)]),
    [[10, 'epoch/loss', 'epoch/seconds']],
  )
})

test('a resumed run goes on in its own folder, at the steps after the checkpoint', async (t) => {
  const outDir = folder(t)
  let broken = true
  const breakOnce = (): void => {
    if (broken) throw new Error('broken')
  }
  const tasks = [train({ steps: 4 }), saveCheckpoint(), call(breakOnce), train({ steps: 3 })]
  const observed = () => toy([tensorBoard({ every: 2, vitals: [] })])
  await t.throwsAsync(observed().run(tasks, { outDir }), { message: /broken/ })
  broken = false
  const [first = ''] = globSync(join(outDir, '*'))
  const second = await observed().run(tasks, { outDir, resumeFrom: first })
  const values = (path: string) => read(join(path, 'logs', 'tensorboard', 'train')).filter(({ graph }) => graph === null)
  const steps = (path: string) => values(path).map(({ step, start }) => (start ? `from ${step}` : step))
  t.deepEqual(steps(first), [0, 'from 2', 2, 4])
  t.deepEqual(steps(second.outDir), [0, 'from 6', 6])
})
