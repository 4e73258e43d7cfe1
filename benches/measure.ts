// Times works with tinybench, prints a table of fastest and median times and writes benches/results/<topic>.json.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { Bench } from 'tinybench'
import { othersUse, warning } from './busy.ts'

export interface Work {
  readonly name: string
  /** Calls a sample, for works shorter than the clock is fine. @default 1 */
  readonly repeat?: number
  /** Milliseconds that samples are taken for, at least ten of them. @default 600 */
  readonly budget?: number
  /** Floating point operations or bytes of one call, for the rate in the last column. */
  readonly amount?: { readonly unit: 'flop' | 'byte'; readonly count: number }
  /** How much a call does, where it does many of what is reported. @default 1 */
  readonly per?: number
  /** Makes what is timed; a promise is waited for; its tensors are freed by `close`. */
  readonly open: () => { readonly run: () => unknown; readonly close?: () => void }
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
}

/** Times each work in turn and reports them under `topic`, with `facts` beside them. @returns the rows of this time */
export async function measure(
  topic: string,
  works: readonly Work[],
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
    const row = await time(work)
    const rate = row.rate ? `${row.rate.value.toFixed(1).padStart(8)} ${row.rate.unit}` : ''
    console.log(`  ${work.name.padEnd(46)} min ${show(row.min)}  median ${show(row.median)} ${rate}${warning(row.busy)}`)
    rows.push(row)
  }
  mkdirSync(new URL('results', import.meta.url), { recursive: true })
  const path = new URL(`results/${topic}.json`, import.meta.url)
  const { rows: old }: { rows: Row[] } = match !== '' && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { rows: [] }
  const all = works.flatMap(({ name }) => [...rows, ...old].find((row) => row.name === name) ?? [])
  writeFileSync(path, `${JSON.stringify({ topic, ...machine, ...facts, unit: 'ms', rows: all }, null, 1)}\n`)
  return rows
}

async function time({ name, repeat = 1, budget = 600, amount, per = 1, open }: Work): Promise<Row> {
  const busy = await othersUse()
  const { run, close } = open()
  // The budgets count what a sample reports, which is one call of many.
  const calls = repeat * per
  const bench = new Bench({ time: budget / calls, warmupTime: budget / 3 / calls, iterations: 10, warmupIterations: 3, throws: true })
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
