// Plain lines: one for each epoch, and a table of what trains.
import pc from 'picocolors'
import type { EpochRecord, Observer } from '../graph/index.ts'
import { groupTable } from '../optim/index.ts'
import { numbersIn } from './numbersIn.ts'

/** Where lines go. */
export type Print = (line: string) => void

/**
 * Prints a line at the end of each epoch, and what each ModuleNode trains when it first does. Colours only where the terminal has them and
 * `NO_COLOR` is not set.
 *
 * @example
 * graph.observe(epochLog())
 * // train  epoch 1  loss 0.2541  accuracy 0.9213  8,912 samples/s  0.9 s
 */
export function epochLog(print: Print = console.log): Observer {
  return (events) => {
    events.on('optimizers', ({ node, optimizers }) => print(`${pc.bold(node)}\n${pc.dim(groupTable(optimizers))}`))
    events.on('epochEnd', (epoch) => print(epochLine(epoch)))
  }
}

/** The line of one epoch. */
export function epochLine({ training, epoch, metrics, samples, seconds }: EpochRecord): string {
  const values = Object.entries(metrics).flatMap(([name, value]) => numbersIn(name, value))
  const head = training ? pc.cyan('train') : pc.green('eval ')
  const rate = samples > 0 ? [pc.dim(`${Math.round(samples / seconds).toLocaleString('en-US')} samples/s`)] : []
  return [
    head,
    `epoch ${epoch}`,
    ...values.map(([name, value]) => `${name} ${pc.bold(short(value))}`),
    ...rate,
    pc.dim(`${seconds.toFixed(1)} s`),
  ].join('  ')
}

// Four decimals where they say something, else four digits.
const short = (value: number): string =>
  value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e3) ? value.toFixed(4) : value.toPrecision(4)
