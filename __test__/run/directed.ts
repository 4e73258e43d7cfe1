// The program of program.ts with slow iterations, in the folder given; tells its parent of each iteration and at the end how it was stopped.
import { Node } from '../../ts/graph/index.ts'
import { program } from './program.ts'

const [outDir = 'out', mode = ''] = process.argv.slice(2)
const { graph, tasks } = program(0)
graph.add('kill', new Node({ update: () => {} }))
let iterations = 0
graph.events.on('iterationEnd', async () => {
  process.send?.({ iteration: ++iterations })
  await new Promise((resolve) => setTimeout(resolve, mode === 'slow' ? 1e6 : 20))
})
graph.events.on('stopping', ({ by }) => process.send?.({ stopping: by }))
if (mode === 'own') process.on('SIGINT', () => process.exit(7))
const { stopped } = await graph.run(tasks, { outDir, seed: 7 })
process.send?.({ stopped })
process.disconnect?.()
