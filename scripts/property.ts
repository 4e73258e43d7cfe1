// `npm run property -- --runs 200000 [--seed 1]`: random programs until one breaks a promise, which is then made small. With `--all` it goes on
// and lists what broke, once an op and kind. `--trace last.json` keeps the program at work, for what ends the process; `--replay` runs such a file.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { assert, property } from 'fast-check'
import { programs, run, tally, untouched, type Program } from '../__test__/property/program.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string' },
    all: { type: 'boolean', default: false },
    trace: { type: 'string' },
    replay: { type: 'string' },
  },
})

/** What broke, by op and text without its numbers. */
const broken = new Map<string, { readonly message: string; times: number }>()

function collect(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const key = message.replace(/^(\w+)\(.*?\): /, '$1: ').replace(/-?\d[\d.e+-]*|NaN|-?Infinity|float\w+|u?int\w+|bool|\[[^\]]*\]/g, '#')
  const known = broken.get(key)
  if (known === undefined) broken.set(key, { message, times: 1 })
  else known.times++
}

function traced(program: Program): void {
  if (values.trace !== undefined) writeFileSync(values.trace, JSON.stringify(program))
  if (!values.all) return run(program)
  try {
    run(program)
  } catch (error) {
    collect(error)
  }
}

if (values.replay !== undefined) {
  run(JSON.parse(readFileSync(values.replay, 'utf8')))
} else {
  const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31))
  console.log(`seed ${seed}`)
  const started = performance.now()
  assert(property(programs, traced), { numRuns: Number(values.runs), seed })
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(`${tally.programs} programs in ${seconds} s: ${tally.calls} calls, of which ${tally.refused} were refused`)
  console.log(`never called with success: ${untouched().join(', ') || 'none'}`)
  for (const { message, times } of broken.values()) console.log(`${times} x ${message}`)
  if (broken.size > 0) process.exitCode = 1
}
