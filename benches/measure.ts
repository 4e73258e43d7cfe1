// Times works with tinybench, prints a table of fastest and median times and writes benches/results/<topic>.json.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { Bench } from 'tinybench'
import { othersUse, warning } from './busy.ts'

export interface Work {
  readonly name: string
  /** Calls a sample, for works shorter than the clock is fine. @default 1 */
  readonly repeat?: number
  /** Milliseconds that samples are taken for. @default 600 */
  readonly budget?: number
  /** How many are taken at least. @default 10 */
  readonly samples?: number
  /** Floating point operations or bytes of one call, for the rate in the last column. */
  readonly amount?: { readonly unit: 'flop' | 'byte'; readonly count: number }
  /** How much a call does, where it does many of what is reported. @default 1 */
  readonly per?: number
  /** Makes what is timed; a promise is waited for; its tensors are freed by `close`. */
  readonly open: () => { readonly run: () => unknown; readonly close?: () => void }
}

/** Works that are compared: they stand open together and are called in turn, so that what else the machine does falls on all alike. */
export interface Turns {
  readonly name: string
  readonly repeat?: number
  readonly budget?: number
  /** Names of what is timed; the first is what the others are compared with. */
  readonly forms: readonly string[]
  readonly open: () => { readonly runs: readonly (() => unknown)[]; readonly close?: () => void }
}

/** Work that takes its times itself, because they begin or end within it. */
export interface Taken {
  readonly name: string
  /** Milliseconds. */
  readonly take: () => Promise<readonly number[]>
}

interface Row {
  readonly name: string
  /** Milliseconds a call. */
  readonly min: number
  readonly median: number
  readonly samples: number
  /** The share of the machine that others used just before. */
  readonly busy: number
  /** G of the unit a second, by the median. */
  readonly rate?: { readonly unit: string; readonly value: number }
  /** Fastest and median time over those of the first form that it took turns with. */
  readonly ratio?: { readonly min: number; readonly median: number }
}

/** Times one work after another and reports them under `topic`, with `facts` beside them. @returns the rows of this time */
export async function measure(
  topic: string,
  works: readonly (Work | Turns | Taken)[],
  facts: Readonly<Record<string, unknown>> = {},
): Promise<readonly Row[]> {
  const { version }: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const machine = {
    device: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
    node: process.versions.node,
    firn: version,
  }
  console.log(`\n${topic}: ${machine.device}, ${machine.threads} threads, Node ${machine.node}, firn ${machine.firn}`)
  const rows: Row[] = []
  const [, , match = ''] = process.argv
  for (const work of works.filter(({ name }) => name.includes(match))) {
    for (const row of isTurns(work) ? await inTurn(work) : [await ('take' in work ? taken(work) : time(work))]) {
      const rate = row.rate ? `${row.rate.value.toFixed(1).padStart(8)} ${row.rate.unit}` : ''
      const ratio = row.ratio ? `  x${row.ratio.min.toFixed(3)} least, x${row.ratio.median.toFixed(3)} median` : ''
      console.log(`  ${row.name.padEnd(60)} min ${show(row.min)}  median ${show(row.median)} ${rate}${ratio}${warning(row.busy)}`)
      rows.push(row)
    }
  }
  mkdirSync(new URL('results', import.meta.url), { recursive: true })
  const path = new URL(`results/${topic}.json`, import.meta.url)
  const { rows: old }: { rows: Row[] } = match !== '' && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { rows: [] }
  const known = [...rows, ...old.filter((row) => !rows.some(({ name }) => name === row.name))]
  const all = works.flatMap(({ name }) => known.filter((row) => row.name === name || row.name.startsWith(`${name}: `)))
  writeFileSync(path, `${JSON.stringify({ topic, ...machine, ...facts, unit: 'ms', rows: all }, null, 1)}\n`)
  return rows
}

const isTurns = (work: Work | Turns | Taken): work is Turns => 'forms' in work

async function inTurn({ name, forms, repeat = 1, budget = 2000, open }: Turns): Promise<Row[]> {
  const busy = await othersUse()
  const { runs, close } = open()
  const samples = runs.map(() => new Array<number>())
  const timed = runs.map((run, k) => () => {
    const start = performance.now()
    for (let i = 0; i < repeat; i++) run()
    samples[k]?.push((performance.now() - start) / repeat)
  })
  for (let round = 0; round < 3; round++) for (const run of runs) run()
  for (const end = performance.now() + budget; performance.now() < end || (samples[0]?.length ?? 0) < 20;) {
    for (const run of timed) run()
    // Whoever comes first in a round finds other things in the caches than the rest: let that be another one.
    timed.push(...timed.splice(0, 1))
  }
  close?.()
  const times = samples
    .map((each) => each.toSorted((a, b) => a - b))
    .map((each) => ({ min: each[0] ?? NaN, median: each[each.length >> 1] ?? NaN }))
  const [first = { min: NaN, median: NaN }] = times
  return times.map(({ min, median }, k) => ({
    name: `${name}: ${forms[k]}`,
    min,
    median,
    samples: samples[k]?.length ?? 0,
    busy,
    ...(k > 0 && { ratio: { min: min / first.min, median: median / first.median } }),
  }))
}

async function taken({ name, take }: Taken): Promise<Row> {
  const busy = await othersUse()
  const times = (await take()).toSorted((a, b) => a - b)
  return { name, min: times[0] ?? NaN, median: times[times.length >> 1] ?? NaN, samples: times.length, busy }
}

async function time({ name, repeat = 1, budget = 600, samples = 10, amount, per = 1, open }: Work): Promise<Row> {
  const busy = await othersUse()
  const { run, close } = open()
  // The budgets count what a sample reports, which is one call of many.
  const calls = repeat * per
  const bench = new Bench({
    time: budget / calls,
    warmupTime: budget / 3 / calls,
    iterations: samples,
    warmupIterations: Math.min(3, samples - 2),
    throws: true,
  })
  bench.add(name, async () => {
    const start = performance.now()
    for (let i = 0; i < repeat; i++) {
      const result = run()
      if (result instanceof Promise) await result
    }
    return { overriddenDuration: (performance.now() - start) / calls }
  })
  const [task] = await bench.run()
  close?.()
  if (task?.result.state !== 'completed') throw new Error(`${name} did not complete: ${task?.result.state}`)
  const { min, p50, samplesCount } = task.result.latency
  const rate = amount && { unit: amount.unit === 'flop' ? 'GFLOP/s' : 'GB/s', value: amount.count / p50 / 1e6 }
  return { name, min, median: p50, samples: samplesCount, busy, ...(rate && { rate }) }
}

function show(ms: number): string {
  return (ms < 0.1 ? `${(ms * 1000).toFixed(2)} us` : `${ms.toFixed(3)} ms`).padStart(11)
}
