// What TensorBoard's table of hyper-parameters shows of a run: api.proto and plugin_data.proto of its hparams plugin.
import { PbfWriter } from 'pbf'
import type { Json } from '../../io/index.ts'

/** A hyper-parameter as TensorBoard knows it. */
type Value = string | number | boolean

/** The message at the beginning of a run; what is nested is under `outer/inner`, lists are texts. */
export function sessionStart(hparams: Readonly<Record<string, Json>>, time: number): Uint8Array {
  return message(3, (to) => {
    for (const entry of Object.entries(hparams).flatMap(([name, value]) => valuesIn(name, value))) to.writeMessage(1, writeEntry, entry)
    to.writeDoubleField(5, time / 1000)
  })
}

/** The message at the end of a run. */
export function sessionEnd(failed: boolean, time: number): Uint8Array {
  return message(4, (to) => {
    to.writeVarintField(1, failed ? 2 : 1)
    to.writeDoubleField(2, time / 1000)
  })
}

function message(field: number, write: (to: PbfWriter) => void): Uint8Array {
  const to = new PbfWriter()
  to.writeMessage(field, (_, inner) => write(inner), null)
  return to.finish()
}

function valuesIn(name: string, value: Json): [name: string, value: Value][] {
  if (typeof value !== 'object' || value === null) return [[name, value ?? 'null']]
  if (Array.isArray(value)) return [[name, JSON.stringify(value)]]
  return Object.entries(value).flatMap(([key, item]) => valuesIn(`${name}/${key}`, item))
}

// An entry of a map, whose value is a google.protobuf.Value.
function writeEntry([name, value]: readonly [string, Value], to: PbfWriter): void {
  to.writeStringField(1, name)
  to.writeMessage(
    2,
    (_, inner) => {
      if (typeof value === 'number') inner.writeDoubleField(2, value)
      else if (typeof value === 'string') inner.writeStringField(3, value)
      else inner.writeBooleanField(4, value)
    },
    null,
  )
}
