// The program of program.ts with slow iterations, in the folder given; tells its parent of each iteration and at the end how it was stopped.
import { setTimeout } from 'node:timers/promises'
import { program } from './program.ts'

const [outDir = 'out', mode = ''] = process.argv.slice(2)
const { graph, tasks, trace } = program(0)
const tell = (message: object): void => void process.send?.(message)
graph.events.on('iterationEnd', async () => {
  tell({ iteration: trace.length })
  // A step that does not end is what the second Ctrl-C is for.
  await setTimeout(mode === 'stuck' ? 1e6 : 20)
})
graph.events.on('stopping', ({ by }) => tell({ stopping: by }))
if (mode === 'full') graph.saveCheckpoint = () => Promise.reject(new Error('the disk is full'))
if (mode === 'own') process.on('SIGINT', () => process.exit(7))
const { stopped } = await graph.run(tasks, { outDir, seed: 7 })
tell({ stopped, trace, listeners: process.listenerCount('SIGINT') + process.listenerCount('SIGTERM') })
process.disconnect?.()
