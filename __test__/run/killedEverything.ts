// Runs `everything` in the folder given, saving every fourth iteration, until it comes to a bad end in one of them.
import { execFileSync } from 'node:child_process'
import { everything } from './everything.ts'

const [outDir = 'out', how = '', at = '0'] = process.argv.slice(2)
const { graph, tasks, trace } = everything(0)
let iterations = 0

const ends: Readonly<Record<string, () => void>> = {
  killed: () => process.kill(process.pid, 'SIGKILL'),
  // No file may grow beyond a few bytes from now on, as if the disk were full.
  full: () => void execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=2000']),
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
