// What logs of lines have in common: their options, their file, and what they hear of.
import { resolve } from 'node:path'
import { checkOptions, FirnError } from '../errors.ts'
import type { EarlyStopped, EpochRecord, GraphEvents, Observer, RunInfo } from '../graph/index.ts'
import { LogFile } from './logFile.ts'
import { gatherSteps, type Step } from './steps.ts'
import { type Vital, vitals as allVitals } from './vitals.ts'

/** How often a log looks, and at what. */
export interface LogOptions {
  /** Logs the iterations whose number in the run is a multiple of this. @default 50 */
  readonly every?: number
  /** What is logged beside reported values. @default all there are */
  readonly vitals?: readonly Vital[]
}

/** Options of a log of lines. */
export interface TextLogOptions extends LogOptions {
  /** The file; a relative path starts in the run's `logs`. A file that is there is gone on with. */
  readonly file?: string
}

/** The options with their defaults. Fails with code `'argument'` on an unknown one. */
export function logOptions(what: string, options: LogOptions, known: readonly string[] = []): Required<LogOptions> {
  checkOptions(what, options, ['every', 'vitals', ...known])
  const { every = 50, vitals = allVitals } = options
  if (!Number.isInteger(every) || every < 1) throw new FirnError('argument', `${what}: every ${every}, expected a whole number from 1`)
  return { every, vitals }
}

/** The folder of a run's logs; null for one that has none. */
export const logsOf = ({ outDir }: RunInfo): string | null => (outDir === null ? null : resolve(outDir, 'logs'))

/** How the lines of a log are made. Each has the end of its line. */
export interface Lines {
  /** What a new file begins with. */
  readonly head: string
  run(info: RunInfo): string
  step(step: Step): string
  epoch(record: EpochRecord): string
  text(record: GraphEvents['text']): string
  stop(record: EarlyStopped): string
  end(record: GraphEvents['runEnd']): string
}

/** A log of lines in a file that lives as long as the run. */
export function textLog(what: string, file: string, options: TextLogOptions, lines: Lines | (() => Promise<Lines>)): Observer {
  const { every, vitals } = logOptions(what, options, ['file'])
  return (events) => {
    let log: { readonly file: LogFile; readonly lines: Lines } | null = null
    const write = (line: (lines: Lines) => string): void => log?.file.write(line(log.lines))
    events.on('runStart', async (info) => {
      const folder = logsOf(info)
      if (folder === null) return
      const made = typeof lines === 'function' ? await lines() : lines
      log = { file: new LogFile(resolve(folder, options.file ?? file), made.head), lines: made }
      write((all) => all.run(info))
    })
    gatherSteps(events, { every, vitals }, (step) => write((all) => all.step(step)))
    events.on('epochEnd', (record) => write((all) => all.epoch(record)))
    events.on('text', (record) => write((all) => all.text(record)))
    events.on('earlyStop', (record) => write((all) => all.stop(record)))
    events.on('checkpointSaved', () => log?.file.flush())
    events.on('runEnd', async (record) => {
      write((all) => all.end(record))
      const done = log?.file
      log = null
      await done?.close()
    })
  }
}
