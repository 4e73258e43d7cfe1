// A training with tasks in the middle, in the folder given, that saves after each iteration and kills itself in the one of the given number.
import { program } from './interrupted.ts'

const [outDir = 'out', killAt = '1'] = process.argv.slice(2)
const { graph, tasks } = program(0, { steps: 6 })
let iterations = 0
graph.events.on('iterationStart', () => void (++iterations === Number(killAt) && process.kill(process.pid, 'SIGKILL')))
graph.events.on('iterationEnd', async () => void (await graph.saveCheckpoint({ to: `${iterations}.safetensors` })))
await graph.run(tasks, { outDir, seed: 7 })
