// Side by side with other libraries: `npm run bench:peers [-- --only torch,firn] [--case MLP] [--kind large] [--rounds 5] [--ms 400]`.
// Peers take turns; the table and benches/results/peers.json give the fastest and the median sample. PyTorch joins when
// FIRN_PYTHON (default python3) can import it; the JavaScript libraries are installed on demand. Large ops are timed with all threads and
// with one, in turn.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

import { othersUse, warning } from '../busy.ts'
import { cases } from './cases.ts'

const here = import.meta.dirname
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    case: { type: 'string' },
    kind: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '400' },
  },
})
const python = process.env.FIRN_PYTHON ?? 'python3'
const node = [process.execPath, '--conditions=firn-source']
const commands = {
  firn: [...node, join(here, 'firn.ts')],
  torch: [python, join(here, 'torch_bench.py')],
  'jax-js': [...node, join(here, 'jaxjs.mjs')],
  tfjs: [...node, join(here, 'tfjs.mjs')],
}
const wanted = options.only?.split(',') ?? Object.keys(commands)
if (wanted.some((name) => name === 'jax-js' || name === 'tfjs') && !existsSync(join(here, 'node_modules'))) {
  execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: here, stdio: 'inherit' })
}

const asked = (title) => (!options.case || title.includes(options.case)) && (!options.kind || cases[title].kind === options.kind)
const titles = Object.keys(cases).filter(asked)
const lonely = ['firn', 'torch'].filter((name) => wanted.includes(name) && titles.some((title) => cases[title].kind === 'large'))
const peers = []
for (const { name, single } of [...wanted.map((name) => ({ name, single: false })), ...lonely.map((name) => ({ name, single: true }))]) {
  try {
    const peer = await start(name, commands[name], single ? { RAYON_NUM_THREADS: '1', OMP_NUM_THREADS: '1' } : {})
    peers.push(Object.assign(peer, { single }))
  } catch (error) {
    console.log(`${name} sits out: ${error.message}`)
  }
}

const rows = []
for (const title of titles) {
  const work = cases[title]
  const contenders = peers
    .filter((peer) => (work.only?.includes(peer.name) ?? true) && (work.kind === 'large' || !peer.single))
    .flatMap((peer) =>
      (work.variants?.[peer.name] ?? [peer.single ? '1 thread' : undefined]).map((variant) => ({
        peer,
        variant,
        samples: [],
        check: null,
        error: null,
      })),
    )
  const busy = await othersUse()
  await measure(work, contenders)
  const results = contenders.map(({ peer, variant, samples, check, error }) => ({
    peer: peer.name,
    ...(variant && { variant }),
    ...summary(samples),
    check,
    ...(error && { error }),
  }))
  rows.push({ case: title, busy, results })
  report(rows.at(-1))
}
for (const peer of peers) peer.process.stdin.end()

// A run of some cases replaces those rows; every ratio is within one row.
if (!options.only) {
  const path = join(here, '../results/peers.json')
  const old = options.case && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).rows : []
  const merged = Object.keys(cases).flatMap((title) => [...rows, ...old].find((row) => row.case === title) ?? [])
  const device = `${cpus()[0].model}, ${cpus().length} cores`
  mkdirSync(join(here, '../results'), { recursive: true })
  writeFileSync(path, `${JSON.stringify({ device, peers: peers.map((peer) => peer.info), unit: 'ms', rows: merged }, null, 1)}\n`)
}

/** Two variants of one peer share a process, so each is opened anew for its turn; different peers keep theirs open and take turns. */
async function measure(work, contenders) {
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const contender of contenders.filter(({ error }) => error === null)) {
      const { peer, variant } = contender
      const opened = await ask(peer, { do: 'open', case: work, variant })
      const ms = Number(options.ms) / (work.kind === 'large' ? 4 : 1)
      const timed = opened.error ? opened : await ask(peer, { do: 'time', ms })
      await ask(peer, { do: 'close' })
      contender.check = opened.check ?? null
      if (timed.error) contender.error = timed.error
      else contender.samples.push(...timed.samples)
    }
  }
}

function summary(samples) {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted.length === 0
    ? { min: null, median: null, samples: 0 }
    : { min: sorted[0], median: sorted[sorted.length >> 1], samples: sorted.length }
}

function report({ case: title, busy, results }) {
  const base = results.find((result) => result.median !== null)
  console.log(`\n${title}${warning(busy)}`)
  for (const { peer, variant, min, median, check, error } of results) {
    const losses = check ? `  losses ${check.map((loss) => loss.toFixed(4)).join(' ')}` : ''
    const name = (variant ? `${peer} (${variant})` : peer).padEnd(18)
    if (error) console.log(`  ${name} ${error.split('\n')[0]}`)
    else console.log(`  ${name} min ${time(min)}  median ${time(median)}  x${(median / base.median).toFixed(2)} of ${base.peer}${losses}`)
  }
}

function time(ms) {
  return (ms < 0.1 ? `${(ms * 1000).toFixed(2)} us` : `${ms.toFixed(2)} ms`).padStart(10)
}

function start(name, [command, ...args], env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    let errors = ''
    child.stderr.on('data', (chunk) => (errors += chunk))
    const peer = { name, process: child, lines }
    child.on('error', reject)
    child.on('exit', () => (peer.dead = reason(errors)))
    lines.next().then(({ value }) => {
      if (value === undefined) return reject(new Error(peer.dead ?? reason(errors)))
      peer.info = JSON.parse(value)
      resolve(peer)
    })
  })
}

/** The line of a stack trace that says what went wrong. */
function reason(errors) {
  const lines = errors.trim().split('\n')
  return lines.find((line) => /Error\b/.test(line)) || lines.at(-1) || 'the process ended'
}

async function ask(peer, message) {
  if (peer.dead) return { error: peer.dead }
  peer.process.stdin.write(`${JSON.stringify(message)}\n`)
  const { value } = await peer.lines.next()
  return value === undefined ? { error: peer.dead ?? 'the process ended' } : JSON.parse(value)
}
