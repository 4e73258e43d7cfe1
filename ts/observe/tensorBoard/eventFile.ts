// Event files: records with their lengths and checksums, as TFRecord has them.
import { hostname } from 'node:os'
import { join } from 'node:path'
import crc32c from 'crc-32/crc32c.js'
import type { SeenNode } from '../../graph/index.ts'
import { LogFile } from '../logFile.ts'
import { encodeEvent, type Event, type Summary } from './messages.ts'

/** An event file in a folder. */
export class EventFile {
  readonly #file: LogFile
  #began = false

  constructor(folder: string, time: number) {
    // Names in one folder are read in their order, so the time comes first.
    const seconds = String(Math.floor(time / 1000)).padStart(10, '0')
    const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}`)
    this.#file = new LogFile(path, recordOf({ time, fileVersion: 'brain.Event:2' }))
  }

  /** Writes values of one step; the first ones void what older files of the folder have from there on. */
  add(time: number, step: number, summaries: readonly Summary[]): void {
    if (!this.#began) this.#file.write(recordOf({ time, start: step }))
    this.#began = true
    this.#file.write(recordOf({ time, step, summaries }))
  }

  /** Writes the nodes of a graph and who reads whom. */
  graph(time: number, graph: readonly SeenNode[]): void {
    this.#file.write(recordOf({ time, graph }))
  }

  flush(): Promise<void> {
    return this.#file.flush()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** An event in a file: its length in 64 bits, the checksum of that, the event, its checksum. */
export function recordOf(event: Event): Uint8Array {
  const bytes = encodeEvent(event)
  const record = Buffer.alloc(8 + 4 + bytes.length + 4)
  record.writeBigUInt64LE(BigInt(bytes.length), 0)
  record.writeUInt32LE(maskedChecksum(record.subarray(0, 8)), 8)
  record.set(bytes, 12)
  record.writeUInt32LE(maskedChecksum(bytes), 12 + bytes.length)
  return record
}

// Turned and shifted, since the checksum of data that holds its own checksum says little.
function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
