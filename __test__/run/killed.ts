// Runs the program in the folder given, saving every third iteration, and is killed in the middle of one.
import { Node } from '../../ts/graph/index.ts'
import { program } from './program.ts'

const [outDir = 'out', killAt = '0'] = process.argv.slice(2)
const { graph, tasks } = program(0)
let iterations = 0
graph.add(
  'kill',
  new Node({
    update: () => {
      if (iterations === Number(killAt)) process.kill(process.pid, 'SIGKILL')
    },
  }),
)
graph.events.on('iterationEnd', async () => {
  iterations++
  if (iterations % 3 === 0) await graph.saveCheckpoint({ to: `${String(iterations).padStart(3, '0')}.safetensors` })
})
await graph.run(tasks, { outDir, seed: 7 })
