// Values of one step, gathered from all who report them.
import type { EventSource, Place } from '../graph/index.ts'
import { type Vital, watchVitals } from './vitals.ts'

/** Every value that was reported at one step, by name. */
export interface Step extends Place {
  readonly values: Readonly<Record<string, number>>
}

/** What a log hears of. */
export interface StepOptions {
  /** Logs the iterations whose number is a multiple of this. */
  readonly every: number
  readonly vitals: readonly Vital[]
}

/** Gathers scalars and vitals by step and hands each step on when it is over; calls of `write` keep their order with the other events. */
export function gatherSteps(events: EventSource, { every, vitals }: StepOptions, write: (step: Step) => void): void {
  let open: Step | null = null
  const close = (): void => {
    if (open !== null) write(open)
    open = null
  }
  const put = (place: Place, values: Readonly<Record<string, number>>): void => {
    if (Object.keys(values).length === 0) return
    if (open !== null && (!isSame(open, place) || Object.keys(values).some((name) => name in (open?.values ?? {})))) close()
    open = { ...(open ?? place), values: { ...open?.values, ...values } }
  }
  events.on(
    'scalar',
    ({ name, value, step, epoch, training, tags, time }) => put({ step, epoch, training, tags, time }, { [name]: value }),
    {
      every,
    },
  )
  watchVitals(events, vitals, every, ({ step, epoch, training, tags, time }, values) =>
    events.inOrder(() => put({ step, epoch, training, tags, time }, values)),
  )
  for (const kind of ['epochEnd', 'taskEnd', 'checkpointSaved', 'runEnd'] as const) events.on(kind, close)
}

const isSame = (a: Place, b: Place): boolean => a.step === b.step && a.training === b.training && a.tags.join() === b.tags.join()
