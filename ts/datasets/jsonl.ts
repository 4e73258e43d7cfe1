// JSON lines: a sample a line.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Origin, PortableDataset } from '../data/index.ts'
import { FirnError } from '../errors.ts'
import type { Json } from '../io/index.ts'
import { shown } from './columns.ts'
import type { TextSource } from './csv.ts'

// As deep as samples may be.
const maxDepth = 64

/**
 * Reads a file of JSON lines; empty lines are passed over. A line is parsed when its sample is asked for, so that only the text is in memory.
 * Fails with code `'io'`, naming file and line, where a line is no JSON, or nested deeper than 64 levels. `mapped` gives samples a type.
 *
 * @example
 * const lines = jsonl({ text: '{"n": 1}\n{"n": 2}\n' })
 * lines.get(1) // { n: 2 }
 */
export function jsonl(source: string | TextSource): PortableDataset<Json> {
  return new Lines(source)
}

class Lines implements PortableDataset<Json> {
  readonly length: number
  readonly #name: string
  readonly #source: string | TextSource
  readonly #bytes: Buffer
  /** Number, beginning and end of each line that is not empty. */
  readonly #lines: Float64Array

  constructor(source: string | TextSource) {
    this.#name = typeof source === 'string' ? `'${source}'` : 'the text'
    this.#source = typeof source === 'string' ? resolve(source) : source
    this.#bytes = bytesOf(source)
    this.#lines = Float64Array.from(linesOf(this.#bytes))
    this.length = this.#lines.length / 3
  }

  get(index: number): Json {
    const [line, from, to] = this.#lines.subarray(3 * index, 3 * index + 3)
    if (!Number.isInteger(index) || line === undefined || index < 0)
      throw new FirnError('argument', `jsonl: no sample ${index}; there are ${this.length}, counted from 0`)
    const text = this.#bytes.toString('utf8', from, to)
    const where = `jsonl: ${this.#name}, line ${line}`
    if (deeperThan(text, maxDepth)) throw new FirnError('io', `${where}: nested deeper than ${maxDepth} levels`)
    try {
      const value: Json = JSON.parse(text)
      return value
    } catch (cause) {
      throw new FirnError('io', `${where}: ${shown(text)} is no JSON: ${cause instanceof Error ? cause.message.slice(0, 200) : ''}`, {
        cause,
      })
    }
  }

  origin(): Origin {
    return { module: import.meta.url, name: 'jsonl', args: this.#source }
  }
}

function bytesOf(source: string | TextSource): Buffer {
  if (typeof source !== 'string') return Buffer.from(source.text)
  try {
    return readFileSync(source)
  } catch (cause) {
    throw new FirnError('io', `jsonl: cannot read '${source}': ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function* linesOf(bytes: Buffer): Generator<number> {
  // A byte order mark is no part of the first line.
  let from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  for (let line = 1; from < bytes.length; line++) {
    const found = bytes.indexOf(0x0a, from)
    const to = found < 0 ? bytes.length : found
    if (!isBlank(bytes, from, to)) yield* [line, from, to]
    from = to + 1
  }
}

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((bytes[i] ?? 0) > 0x20) return false
  return true
}

/** Whether brackets outside of strings are nested deeper. */
function deeperThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (quoted) {
      if (char === '\\') i++
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if ((char === '[' || char === '{') && ++depth > limit) return true
    else if (char === ']' || char === '}') depth -= 1
  }
  return false
}
