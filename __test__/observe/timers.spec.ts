import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { DatasetNode, EventHub, Node, type NodeTime, StopTask } from '../../ts/graph/index.ts'
import { timers } from '../../ts/observe/index.ts'
import { call, evaluate, HyperGraph, train } from '../../ts/run/index.ts'
import { folder, numbers } from '../graph/toys.ts'

interface TraceEvent {
  readonly ph: string
  readonly name: string
  readonly cat: string
  readonly ts: number
  readonly dur: number
  readonly args: { readonly own: number; readonly mode: string }
}

const logOf = (outDir: string, file: string) => readFileSync(join(outDir, 'logs', file), 'utf8')
const rowsOf = (outDir: string) => logOf(outDir, 'timers.csv').trimEnd().split('\n')
const traceOf = (outDir: string): { traceEvents: TraceEvent[]; otherData: { spansLeftOut: number } } =>
  JSON.parse(logOf(outDir, 'trace.json'))

const chain = () =>
  new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(3) }))
    .add('net', new Node({ forward: (_, x) => x.data.x, backward: () => {} }))
    .add('loss', new Node({ forward: (_, x) => x.net, update: () => {} }))

test('timers.csv has a row for each node, phase and mode, with count, mean, min, max and total', async (t) => {
  const { outDir } = await chain()
    .observe(timers())
    .run([train({ epochs: 2 }), evaluate({ epochs: 1 })], { outDir: folder(t) })
  const [head, ...rows] = rowsOf(outDir)
  t.is(head, 'node,phase,mode,count,mean,min,max,total')
  const counts = rows.map((row) => row.split(',').slice(0, 4).join(' '))
  const named = ['data', 'net', 'loss'].flatMap((node) => [
    ...['forward train 6', 'forward eval 3'].map((rest) => `${node} ${rest}`),
    ...['prepare train 1', 'prepare eval 1', 'epochStart train 2', 'epochStart eval 1', 'epochEnd train 2', 'epochEnd eval 1'].map(
      (rest) => `${node} ${rest}`,
    ),
    ...['taskEnd train 1', 'taskEnd eval 1', 'cleanUp eval 1'].map((rest) => `${node} ${rest}`),
  ])
  t.deepEqual(counts.toSorted(), [...named, 'net backward train 6', 'loss update train 6', 'loss update eval 3'].toSorted())
  const numbersOf = rows.map((row) => row.split(',').slice(3).map(Number))
  for (const [count = NaN, mean = NaN, min = NaN, max = NaN, total = NaN] of numbersOf) {
    t.true(min <= mean + 1e-6 && mean <= max + 1e-6)
    t.true(Math.abs(mean * count - total) <= 1e-5)
  }
  const totals = numbersOf.map((row) => row.at(-1) ?? NaN)
  t.deepEqual(
    totals,
    totals.toSorted((a, b) => b - a),
  )
})

test('trace.json has tasks, epochs, iterations and nodes, each within the one around it', async (t) => {
  const { outDir } = await chain()
    .observe(timers())
    .run([train({ epochs: 1 })], { outDir: folder(t) })
  const { traceEvents, otherData } = traceOf(outDir)
  t.deepEqual(otherData, { spansLeftOut: 0 })
  t.like(traceEvents[0], { ph: 'M', name: 'process_name' })
  const spans = traceEvents.slice(1)
  t.true(spans.every(({ ph }) => ph === 'X'))
  const named = (name: string): TraceEvent => spans.find((span) => span.name === name) ?? t.fail(name)
  const nested = ['train by epochs, tags *', 'epoch 1', 'iteration 0', 'net.forward'].map(named)
  for (const [i, inner] of nested.entries()) {
    const outer = nested[i - 1]
    // Times are rounded to nanoseconds.
    if (outer !== undefined) t.true(outer.ts <= inner.ts + 0.01 && inner.ts + inner.dur <= outer.ts + outer.dur + 0.01, inner.name)
  }
})

test('the forward of a node is without the producers that it runs', async (t) => {
  const times: NodeTime[] = []
  const graph = new HyperGraph()
  graph.add('outer', new Node({ forward: (_, x) => [x.get('left'), x.get('right'), x.get('left')] }))
  graph.add('left', new Node({ forward: (_, x) => x.get('source') }))
  graph.add('right', new Node({ forward: (_, x) => x.get('source') }))
  graph.add('source', new Node({ forward: () => Array.from({ length: 1e4 }, Math.sqrt).length }))
  const off = graph.events.time((time) => times.push(time))
  await graph.step()
  const [source, left, right, outer] = times.filter(({ event }) => event === 'forward')
  if (!source || !left || !right || !outer) return t.fail()
  t.deepEqual([source.node, left.node, right.node, outer.node], ['source', 'left', 'right', 'outer'])
  t.is(source.own, source.ms)
  t.is(left.own, left.ms - source.ms)
  t.is(right.own, right.ms)
  t.is(outer.own, outer.ms - (left.ms + right.ms))
  off()
  times.length = 0
  await graph.step()
  t.deepEqual(times, [])
})

test('what fails or stops is timed too, and does not confuse what comes after', async (t) => {
  const times: string[] = []
  let failing = true
  const graph = new HyperGraph()
    .add(
      'a',
      new Node({
        forward: (n) => {
          if (failing) throw n.globalTrainSteps === 1 ? new StopTask() : new Error('no')
          return 1
        },
      }),
    )
    .add('b', new Node({ forward: (_, x) => x.a }))
  graph.events.time(({ node, event, ms, own }) => event === 'forward' && times.push(`${node} ${ms === own}`))
  await graph.step()
  failing = false
  await graph.step()
  t.deepEqual(times, ['a true', 'a true', 'b true'])
})

test('what an iteration waits for beforehand has a row of its own', async (t) => {
  class Slow extends Node<object, number> {
    override ready(): Promise<void> {
      return new Promise((resolve) => setTimeout(resolve, 1))
    }
    override forwardImpl(): number {
      return 1
    }
  }
  const times: NodeTime[] = []
  const graph = new HyperGraph().add('slow', new Slow({})).add('other', new Node({}))
  graph.events.time((time) => times.push(time))
  await graph.step({ steps: 2 })
  t.deepEqual(
    times.filter(({ event }) => event === 'wait' || event === 'forward').map(({ node, event }) => `${node}.${event}`),
    ['slow.wait', 'slow.forward', 'other.forward', 'slow.wait', 'slow.forward', 'other.forward'],
  )
})

test('spans limits the trace, not the table; 0 leaves the trace out', async (t) => {
  const outDir = folder(t)
  const graph = chain().observe(timers({ spans: 5 }))
  const first = await graph.run([train({ steps: 10 })], { outDir })
  t.is(traceOf(first.outDir).traceEvents.length, 1 + 5)
  t.true(traceOf(first.outDir).otherData.spansLeftOut > 30)
  t.true(rowsOf(first.outDir).some((row) => row.startsWith('net,forward,train,10,')))
  const none = await chain()
    .observe(timers({ spans: 0 }))
    .run([train({ steps: 1 })], { outDir })
  t.false(existsSync(join(none.outDir, 'logs/trace.json')))
  const again = await graph.run([train({ steps: 2 })], { outDir })
  t.true(rowsOf(again.outDir).some((row) => row.startsWith('net,forward,train,2,')))
})

test('a run that fails leaves its times; a folder that is gone is warned of and ends nothing', async (t) => {
  const outDir = folder(t)
  const folders: string[] = []
  const graph = chain().observe(timers())
  graph.events.on('runStart', (info) => void folders.push(info.outDir ?? ''))
  const failing = call(() => {
    throw new Error('no')
  })
  await t.throwsAsync(graph.run([train({ steps: 1 }), failing], { outDir }), { message: 'no' })
  t.true(rowsOf(folders[0] ?? '').length > 3)
  const warnings: unknown[] = []
  const { warn } = console
  console.warn = (line: unknown) => void warnings.push(line)
  t.teardown(() => void (console.warn = warn))
  await graph.run([call(() => rmSync(folders[1] ?? '', { recursive: true }))], { outDir })
  t.regex(String(warnings[0]), /timers: .*the run is not affected/)
})

test('without a listener there is no clock', (t) => {
  const hub = new EventHub()
  t.is(hub.clock, null)
  const off = hub.time(() => {})
  t.not(hub.clock, null)
  off()
  t.is(hub.clock, null)
})

test('wrong options are refused', (t) => {
  t.throws(() => timers({ spans: -1 }), { code: 'argument', message: /spans -1/ })
  // @ts-expect-error unknown option
  t.throws(() => timers({ span: 1 }), { code: 'argument', message: /unknown option 'span'; did you mean 'spans'\?/ })
})
