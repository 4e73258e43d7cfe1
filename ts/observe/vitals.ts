// What shows whether a training is well, beside its loss: rates, norms, speed, memory.
import { FirnError } from '../errors.ts'
import type { EventSource, Place, TaskInfo, UpdateRecord, Updating } from '../graph/index.ts'
import { memory } from '../tensor/index.ts'

const names = ['lr', 'gradNorm', 'lossScale', 'speed', 'memory'] as const

/**
 * What a log has of a training beside the values that nodes report: `lr/<node>` and `gradNorm/<node>`, with the pattern and the group where
 * there are several; `run/lossScale`; `run/samplesPerSecond` and `run/iterationsPerSecond` since the last line; `run/memoryBytes` of tensors.
 */
export type Vital = (typeof names)[number]

/** All of them. */
export const vitals: readonly Vital[] = names

/** Takes values at a place of training. */
export type Tell = (place: Place, values: Readonly<Record<string, number>>) => void

/** Tells the vitals in training, in every so many iterations. Fails with code `'argument'` when there is no such vital. */
export function watchVitals(events: EventSource, wanted: readonly Vital[], every: number, tell: Tell): void {
  const unknown = wanted.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new FirnError('argument', `vitals: '${unknown}' given, expected some of ${names.join(', ')}`)
  const wants = new Set(wanted)
  if (wants.has('lr')) events.on('update', (update) => tell(update, rates(update)), { every })
  if (wants.has('lossScale')) events.on('update', (update) => tell(update, scaleOf(update)), { every })
  if (wants.has('gradNorm')) events.on('gradNorm', (norm) => tell(norm, { [`gradNorm/${nameOf(norm)}`]: norm.value }), { every })
  if (wants.has('speed')) watchSpeed(events, every, tell)
  if (wants.has('memory')) {
    events.on('iterationEnd', (task) => (task.training ? tell(placeIn(task), { 'run/memoryBytes': memory().bytes }) : undefined), { every })
  }
}

/** Where training stands in a task. */
export const placeIn = ({ trainSteps, trainEpochs, training, tags }: TaskInfo): Place => ({
  step: trainSteps,
  epoch: trainEpochs,
  training,
  tags,
  time: Date.now(),
})

const nameOf = ({ node, pattern }: Updating): string => (pattern === '.*' ? node : `${node}/${pattern}`)

function rates(update: UpdateRecord): Record<string, number> {
  const name = `lr/${nameOf(update)}`
  const several = update.lr.length > 1
  return Object.fromEntries(update.lr.map((rate, group) => [several ? `${name}/${group}` : name, rate]))
}

const scaleOf = ({ lossScale }: UpdateRecord): Record<string, number> => (lossScale === null ? {} : { 'run/lossScale': lossScale })

// From the beginning of an epoch, or the end of other tasks in the middle of it, so that what happens meanwhile slows nothing down.
function watchSpeed(events: EventSource, every: number, tell: Tell): void {
  let last = { seconds: 0, iterations: 0, samples: 0 }
  let current: TaskInfo | null = null
  const now = (task: TaskInfo): typeof last => ({ seconds: performance.now() / 1000, iterations: task.epochSteps, samples: task.samples })
  events.on('epochStart', (task) => {
    current = task
    last = { ...now(task), samples: 0 }
  })
  events.on('iterationStart', (task) => {
    if (task === current) return
    current = task
    last = now(task)
  })
  events.on(
    'iterationEnd',
    (task) => {
      if (!task.training) return
      const next = now(task)
      const seconds = next.seconds - last.seconds
      const samples = next.samples - last.samples
      const iterationsPerSecond = (next.iterations - last.iterations) / seconds
      tell(placeIn(task), {
        ...(samples > 0 && { 'run/samplesPerSecond': samples / seconds }),
        'run/iterationsPerSecond': iterationsPerSecond,
      })
      last = next
    },
    { every },
  )
}
