// Plain lines: one for each epoch, and a table of what trains.
import { relative } from 'node:path'
import pc from 'picocolors'
import { earlyStopLine, type EpochRecord, type Observer } from '../graph/index.ts'
import { groupTable } from '../optim/index.ts'
import { numbersIn } from './numbersIn.ts'
import { modeOf, short, size, whole } from './words.ts'

/** Where lines go. */
export type Print = (line: string) => void

/**
 * Prints a line at the end of each epoch, what each ModuleNode trains when it first does, where checkpoints are, and why something was
 * stopped early. Colours only where the terminal has them and `NO_COLOR` is not set.
 *
 * @example
 * graph.observe(epochLog())
 * // train  epoch 1  loss 0.2541  accuracy 0.9213  8,912 samples/s  0.9 s
 */
export function epochLog(print: Print = console.log): Observer {
  return (events) => {
    events.on('optimizers', ({ node, optimizers }) => print(`${pc.bold(node)}\n${pc.dim(groupTable(optimizers))}`))
    let tasks = 0
    events.on('runStart', () => void (tasks = 0))
    events.on('taskStart', () => void tasks++)
    events.on('taskEnd', () => void tasks--)
    events.on('epochEnd', (epoch) => print(epochLine(epoch, tasks > 1)))
    events.on('earlyStop', (stop) => print(`${pc.yellow('stop')}   ${earlyStopLine(stop)}`))
    events.on('checkpointSaved', ({ path, bytes }) => print(pc.dim(`saved  ${relative('', path)}  ${size(bytes)}`)))
    events.on('checkpointLoaded', ({ path }) => print(pc.dim(`loaded ${relative('', path)}`)))
  }
}

/** The line of one epoch; one in the middle of another task is at a step. */
export function epochLine(record: EpochRecord, inMiddle = false): string {
  const { training, epoch, step, metrics, samples, seconds } = record
  const values = Object.entries(metrics).flatMap(([name, value]) => numbersIn(name, value))
  const mode = modeOf(record).padEnd(5)
  const head = training ? pc.cyan(mode) : pc.green(mode)
  const rate = samples > 0 ? [pc.dim(`${whole(samples / seconds)} samples/s`)] : []
  return [
    head,
    inMiddle ? `step ${whole(step)}` : `epoch ${epoch}`,
    ...values.map(([name, value]) => `${name} ${pc.bold(short(value))}`),
    ...rate,
    pc.dim(`${seconds.toFixed(1)} s`),
  ].join('  ')
}
