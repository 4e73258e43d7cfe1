// A bar while an epoch runs, and a line when it ends.
import type { SingleBar } from 'cli-progress'
import pc from 'picocolors'
import type { Observer, TaskInfo } from '../graph/index.ts'
import { epochLog } from './epochLog.ts'

/**
 * Draws a bar for the epoch or the task of steps at work, on a terminal; prints the lines of `epochLog` in any case.
 *
 * @example
 * graph.observe(progress())
 * await graph.run([train({ epochs: 3 })])
 */
export function progress(): Observer {
  return (events) => {
    if (process.stderr.isTTY) {
      let bar: SingleBar | null = null
      const start = async (task: TaskInfo): Promise<void> => {
        bar = await startBar(task)
      }
      const end = (): void => {
        bar?.stop()
        bar = null
      }
      events.on('taskStart', (task) => (task.stepMode ? start(task) : undefined))
      events.on('epochStart', (task) => (task.stepMode ? undefined : start(task)))
      events.on('iterationEnd', (task) => bar?.update(task.stepMode ? task.done : task.epochSteps))
      events.on('epochEnd', end)
      events.on('taskEnd', end)
      events.on('runEnd', end)
    }
    // Last, so that a line is printed when the bar is gone.
    epochLog()(events)
  }
}

async function startBar(task: TaskInfo): Promise<SingleBar> {
  // Loaded by those who draw; everybody else starts quicker.
  const { default: cli } = await import('cli-progress')
  const bar = new cli.SingleBar({
    format: `${task.training ? pc.cyan('train') : pc.green('eval ')}  {bar}  {value}/{total}  {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    clearOnComplete: true,
    linewrap: true,
  })
  bar.start(task.stepMode ? task.total : task.epochSize, task.stepMode ? task.done : task.epochSteps)
  return bar
}
