// Runs `everything` in the folder given, saving every fourth iteration, until it comes to a bad end in one of them.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { everything } from './everything.ts'

const [outDir = 'out', how = '', at = '0'] = process.argv.slice(2)
const { graph, tasks, trace } = everything(0)
let iterations = 0

const ends: Readonly<Record<string, () => void>> = {
  killed: () => process.kill(process.pid, 'SIGKILL'),
  // No file may grow beyond a few bytes from now on, as if the disk were full.
  full: () => void execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=2000']),
  // Killed as soon as there is a part of the next file.
  saving: () => {
    const look = (): void => {
      if (readdirSync(outDir).some((run) => readdirSync(join(outDir, run, 'ckpts')).some((name) => name.endsWith('.tmp'))))
        process.kill(process.pid, 'SIGKILL')
      setImmediate(look)
    }
    look()
  },
}

// Between the phases of an iteration: the trace has seen its loss, and no optimizer has stepped.
const { push } = trace
trace.push = (...entries) => {
  if (iterations === Number(at)) ends[how]?.()
  return push.apply(trace, entries)
}
graph.events.on('iterationEnd', async () => {
  iterations++
  if (iterations % 4 === 0) await graph.saveCheckpoint({ to: `${String(iterations).padStart(3, '0')}.safetensors` })
})
await graph.run(tasks, { outDir, seed: 7 })
