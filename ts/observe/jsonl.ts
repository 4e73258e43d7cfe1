// A log of JSON objects, one a line.
import type { Observer, Place } from '../graph/index.ts'
import { textLog, type TextLogOptions } from './textLog.ts'

/**
 * Writes `log.jsonl` into the run's `logs`: an object a line, whose `kind` is `run` (device, seed, folder), `step` (values by name, of every
 * `every` iterations), `epoch` (what nodes reported, samples, seconds), `text`, `stop` (why something was stopped early, with `step` and `epoch`),
 * or `end`. All have `time`; all but `run`, `stop` and `end` have `mode` (`train` or `eval`), `tags`, `step` and `epoch`. Numbers that are not
 * finite are null. A run that is killed leaves whole lines, but for the last.
 *
 * @example
 * graph.observe(jsonl({ every: 10 }))
 * await graph.run([train({ epochs: 1 })])
 */
export function jsonl(options: TextLogOptions = {}): Observer {
  return textLog('jsonl', 'log.jsonl', options, {
    head: '',
    run: (info) => line('run', Date.now(), info),
    step: ({ values, ...place }) => line('step', place.time, { ...whereIn(place), values }),
    epoch: ({ label: _, training, tags, epoch, step, ...facts }) =>
      line('epoch', Date.now(), { ...whereIn({ training, tags, epoch, step, time: 0 }), ...facts }),
    text: ({ text, name, node, ...place }) => line('text', place.time, { ...whereIn(place), node, name, text }),
    stop: ({ step, epoch, ...why }) => line('stop', Date.now(), { step, epoch, why }),
    end: ({ seconds, error }) =>
      line('end', Date.now(), { seconds, ...(error !== undefined && { error: error instanceof Error ? error.message : String(error) }) }),
  })
}

const whereIn = ({ training, tags, step, epoch }: Place) => ({ mode: training ? 'train' : 'eval', tags: tags.join(','), step, epoch })

const line = (kind: string, time: number, facts: object): string =>
  `${JSON.stringify({ kind, time: new Date(time).toISOString(), ...facts })}\n`
