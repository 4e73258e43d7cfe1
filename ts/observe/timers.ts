// Where the time of a run goes: how long each node takes in each phase, as a table and as a trace.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkOptions, FirnError } from '../errors.ts'
import type { EventSource, NodeTime, Observer, RunInfo, TaskInfo } from '../graph/index.ts'
import { logsOf } from './textLog.ts'
import { type Span, traceOf } from './trace.ts'

/** Options of `timers`. */
export interface TimersOptions {
  /** Spans in the trace at most, the first of the run; later ones count in the table alone. 0 for no trace. @default 50000 */
  readonly spans?: number
}

interface Total {
  readonly node: string
  readonly phase: string
  readonly mode: 'train' | 'eval'
  count: number
  min: number
  max: number
  /** Milliseconds. */
  total: number
}

/**
 * Takes the time of every node in every phase, and writes two files into the run's `logs` when it ends. `timers.csv` has a row for each node,
 * phase and mode: count, mean, min, max and total in milliseconds, slowest first; `forward` is without the producers that it runs.
 * `trace.json` shows tasks, epochs, iterations and nodes over time in https://ui.perfetto.dev or chrome://tracing. Without it, no time is taken.
 *
 * @example
 * graph.observe(timers())
 * const { outDir } = await graph.run([train({ epochs: 1 })])
 * console.log(`${outDir}/logs/timers.csv`)
 */
export function timers(options: TimersOptions = {}): Observer {
  checkOptions('timers', options, ['spans'])
  const { spans: most = 50_000 } = options
  if (!Number.isInteger(most) || most < 0) throw new FirnError('argument', `timers: spans ${most}, expected a whole number from 0`)
  return (events) => {
    const taken = new Times(most)
    let info: RunInfo | null = null
    events.on('runStart', (run) => {
      info = run
      taken.clear()
    })
    events.time((time) => taken.add(time))
    watchSpans(events, taken)
    events.on('runEnd', async () => {
      const folder = info && logsOf(info)
      if (folder !== null) await write(folder, taken, most > 0)
    })
  }
}

/** What was measured in a run. */
class Times {
  readonly #most: number
  readonly totals = new Map<string, Total>()
  readonly spans: Span[] = []
  left = 0

  constructor(most: number) {
    this.#most = most
  }

  clear(): void {
    this.totals.clear()
    this.spans.length = 0
    this.left = 0
  }

  add({ node, event, training, begin, ms, own }: NodeTime): void {
    const mode = training ? 'train' : 'eval'
    const key = `${node}/${event}/${mode}`
    let row = this.totals.get(key)
    if (row === undefined) this.totals.set(key, (row = { node, phase: event, mode, count: 0, min: Infinity, max: 0, total: 0 }))
    row.count += 1
    row.min = Math.min(row.min, own)
    row.max = Math.max(row.max, own)
    row.total += own
    this.span({ name: `${node}.${event}`, kind: event, begin, ms, facts: { node, mode, own } })
  }

  span(span: Span): void {
    if (this.spans.length < this.#most) this.spans.push(span)
    else this.left += 1
  }
}

function watchSpans(events: EventSource, times: Times): void {
  const span = (kind: string): { start: () => void; end: (name: string, task: Pick<TaskInfo, 'label'>) => void } => {
    // Tasks may run in the middle of another.
    const begun: number[] = []
    return {
      start: () => void begun.push(performance.now()),
      end: (name, { label }) => {
        const begin = begun.pop() ?? 0
        times.span({ name, kind, begin, ms: performance.now() - begin, facts: { task: label } })
      },
    }
  }
  const [task, epoch, iteration] = [span('task'), span('epoch'), span('iteration')]
  events.on('taskStart', task.start)
  events.on('taskEnd', (info) => task.end(info.label, info))
  events.on('epochStart', epoch.start)
  events.on('epochEnd', (record) => epoch.end(`epoch ${record.epoch}`, record))
  events.on('iterationStart', iteration.start)
  events.on('iterationEnd', (info) => iteration.end(`iteration ${info.epochSteps - 1}`, info))
}

// A run does not fail for want of a table of times.
async function write(folder: string, { totals, spans, left }: Times, trace: boolean): Promise<void> {
  try {
    await writeFile(join(folder, 'timers.csv'), await table([...totals.values()]))
    if (trace) await writeFile(join(folder, 'trace.json'), traceOf(spans, left))
  } catch (error) {
    console.warn(`timers: ${error instanceof Error ? error.message : String(error)}; the run is not affected`)
  }
}

async function table(totals: readonly Total[]): Promise<string> {
  const { stringify } = await import('csv-stringify/sync')
  const rows = totals
    .toSorted((a, b) => b.total - a.total)
    .map(({ node, phase, mode, count, min, max, total }) => [
      node,
      phase,
      mode,
      count,
      ...[total / count, min, max, total].map(milliseconds),
    ])
  return stringify([['node', 'phase', 'mode', 'count', 'mean', 'min', 'max', 'total'], ...rows])
}

// To the nanosecond, which is as far as clocks go.
const milliseconds = (ms: number): number => Number(ms.toFixed(6))
