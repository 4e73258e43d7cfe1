// A log of values as a table.
import type { Observer, Place } from '../graph/index.ts'
import { numbersIn } from './numbersIn.ts'
import { type Lines, textLog, type TextLogOptions } from './textLog.ts'

const columns = ['time', 'mode', 'tags', 'epoch', 'step', 'name', 'value']

/**
 * Writes `log.csv` into the run's `logs`: a row for each value, in the columns time, mode (`train` or `eval`), tags, epoch, step, name and
 * value. Rows for single values let names come and go while a run goes on; `pivot` makes columns of them. Values of every `every`
 * iterations have their names; those of a whole epoch `epoch/<name>`, with `epoch/samples` and `epoch/seconds`.
 *
 * @example
 * graph.observe(csv({ every: 10, vitals: ['lr'] }))
 * await graph.run([train({ epochs: 1 })])
 */
export function csv(options: TextLogOptions = {}): Observer {
  return textLog('csv', 'log.csv', options, makeLines)
}

// The library is loaded by those who log.
async function makeLines(): Promise<Lines> {
  const { stringify } = await import('csv-stringify/sync')
  const rows = ({ time, training, tags, epoch, step }: Place, values: readonly (readonly [string, number])[]): string => {
    const at = [new Date(time).toISOString(), training ? 'train' : 'eval', tags.join(','), epoch, step]
    return stringify(values.map(([name, value]) => [...at, name, value]))
  }
  return {
    head: stringify([columns]),
    run: () => '',
    step: ({ values, ...place }) => rows(place, Object.entries(values)),
    epoch: (record) => {
      const { metrics, samples, seconds } = record
      const values = Object.entries(metrics).flatMap(([name, value]) => numbersIn(name, value))
      const all = [...values, ['samples', samples] as const, ['seconds', seconds] as const]
      return rows(
        { ...record, time: Date.now() },
        all.map(([name, value]) => [`epoch/${name}`, value] as const),
      )
    },
    text: () => '',
    stop: () => '',
    end: () => '',
  }
}
