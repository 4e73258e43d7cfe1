// Everything that may direct a run, for as long as it is at work.
import type { RunContext } from '../graph/index.ts'
import type { Control } from './control.ts'
import { ControlFiles } from './controlFiles.ts'
import { heedMessages } from './messages.ts'
import { heedSignals } from './signals.ts'

/** What a run is directed by. */
export interface Direction {
  readonly context: RunContext
  readonly control: Control
  /** Whether to heed Ctrl-C; undefined where nobody else does. */
  readonly signals: boolean | undefined
  save(): Promise<string>
}

/** Does the work of a run, which methods, files, signals and messages reach meanwhile. */
export async function directed({ context, control, signals, save }: Direction, work: () => Promise<void>): Promise<void> {
  const { events, info } = context
  const files = info.outDir === null ? null : new ControlFiles(control, info.outDir, events)
  control.begin({ events, task: () => context.task, save, look: () => files?.look() })
  const leave = [heedSignals(control, signals), heedMessages(control, info.runId)]
  try {
    await work()
  } finally {
    for (const each of leave) each()
    files?.close()
  }
}
