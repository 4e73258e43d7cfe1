// A bar while an epoch runs, and a line when it ends.
import type { SingleBar } from 'cli-progress'
import pc from 'picocolors'
import { checkOptions, FirnError } from '../errors.ts'
import type { EventSource, Observer, TaskInfo } from '../graph/index.ts'
import { epochLog, type Print } from './epochLog.ts'
import { LossCurves } from './lossCurve.ts'
import { reach, Status } from './status.ts'

/** A stream of Node that may be a terminal, such as `process.stdout`. */
export interface Terminal {
  // Not Node's own type, which programs without the types of Node do not have.
  write(text: string): unknown
  readonly isTTY?: boolean
}

type Stream = NodeJS.WritableStream & Terminal

const isStream = (terminal: Terminal): terminal is Stream => 'once' in terminal && 'end' in terminal

/** Options of `progress`. */
export interface ProgressOptions {
  /** Whether the losses are drawn as curves when the run has ended. @default false */
  readonly chart?: boolean
  /** Seconds between two lines where there is no terminal to draw a bar on; Infinity for none. @default 30 */
  readonly every?: number
  /** Where lines go. @default console.log */
  readonly print?: Print
  /** Where the bar is drawn, if it is a terminal. @default process.stderr */
  readonly stream?: Terminal
}

// What a bar shows is looked up no more often than it is drawn.
const framesPerSecond = 10

/**
 * Shows how far an epoch, or a task of steps, has come: on a terminal by a bar, elsewhere by a line now and then; with the running mean of
 * each loss, learning rates, speed and the time that is left. Prints the lines of `epochLog` in any case. Losses are read a few times a
 * second, many at once, so that the bar does not slow training down. Colours are off where `NO_COLOR` is set.
 *
 * @example
 * graph.observe(progress({ chart: true }))
 * await graph.run([train({ epochs: 3 })])
 * // train  epoch 2/3  ████████████░░░░░░░░  512/938  loss 0.0812  lr 0.001  8,912 samples/s  12 s left
 */
export function progress(options: ProgressOptions = {}): Observer {
  checkOptions('progress', options, ['chart', 'every', 'print', 'stream'])
  const { chart = false, every = 30, print = console.log, stream = process.stderr } = options
  if (!(every > 0)) throw new FirnError('argument', `progress: every ${every}, expected a number of seconds above 0`)
  return (events) => {
    const status = new Status(events)
    if (stream.isTTY === true && isStream(stream)) drawBars(events, status, stream)
    else printLines(events, status, every, print)
    // Behind the bar, so that a line is printed when it is gone.
    epochLog(print)(events)
    if (!chart) return
    const curves = new LossCurves(events)
    events.on('runEnd', ({ error }) => {
      const drawn = error === undefined ? curves.toString() : ''
      if (drawn !== '') print(`\n${drawn}`)
    })
  }
}

function drawBars(events: EventSource, status: Status, stream: Stream): void {
  let shown: TaskInfo | null = null
  let bar: SingleBar | null = null
  let drawn = 0
  const clear = (): void => {
    bar?.stop()
    bar = null
    shown = null
  }
  const draw = async (task: TaskInfo): Promise<void> => {
    clear()
    shown = task
    bar = await startBar(task, status, stream)
  }
  events.on('taskStart', (task) => (task.stepMode ? draw(task) : undefined))
  events.on('epochStart', (task) => (task.stepMode ? undefined : draw(task)))
  // A task in the middle of another had its bar meanwhile.
  events.on('iterationStart', (task) => (task === shown ? undefined : draw(task)))
  events.on('iterationEnd', (task) => {
    const now = performance.now()
    if (now - drawn < 1000 / framesPerSecond) return
    drawn = now
    bar?.update(reach(task)[0], payloadOf(task, status))
  })
  events.on('epochEnd', clear)
  events.on('taskEnd', clear)
  events.on('runEnd', clear)
}

async function startBar(task: TaskInfo, status: Status, stream: Stream): Promise<SingleBar> {
  // Loaded by those who draw; everybody else starts quicker.
  const { default: cli } = await import('cli-progress')
  const bar = new cli.SingleBar({
    format: '{head}  {bar}  {facts}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 20,
    clearOnComplete: true,
    // Ctrl-C is for the run to handle.
    gracefulExit: false,
    linewrap: false,
    fps: framesPerSecond,
    stream,
  })
  const [done, total] = reach(task)
  bar.start(total, done, payloadOf(task, status))
  return bar
}

function payloadOf(task: TaskInfo, status: Status): { readonly head: string; readonly facts: string } {
  const head = status.head(task)
  return { head: task.training ? pc.cyan(head) : pc.green(head), facts: status.facts(task) }
}

function printLines(events: EventSource, status: Status, every: number, print: Print): void {
  let last = performance.now()
  for (const kind of ['runStart', 'epochEnd', 'taskEnd'] as const) events.on(kind, () => void (last = performance.now()))
  events.on('iterationEnd', (task) => {
    const now = performance.now()
    if (now - last < every * 1000) return
    last = now
    print(`${status.head(task)}  ${status.facts(task)}`)
  })
}
