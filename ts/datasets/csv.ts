// Tables in text files: a sample a line, columns typed by a schema.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Origin, PortableDataset } from '../data/index.ts'
import { checkOptions, FirnError, unknownName } from '../errors.ts'
import { readerOf, type RowOf, type Schema, shown } from './columns.ts'

/** Options of `csv`. */
export interface CsvOptions<S extends Schema> {
  /** What each column holds; columns that are not named are passed over. */
  readonly columns: S
  /** Whether the first line names the columns; without, they come in the order of `columns`. @default true */
  readonly header?: boolean
  /** What stands between columns; a tab for TSV. @default ',' */
  readonly separator?: string
  /** Words that mean that a value is missing. @default [''] */
  readonly missing?: readonly string[]
  /** What takes the place of missing values, by column. @default NaN for float32, the word itself for string, an error for others */
  readonly fill?: Partial<RowOf<S>>
}

/** The table as text, instead of a path. */
export interface TextSource {
  readonly text: string
}

// Beyond this a record is an unclosed quote, and not data.
const maxRecordBytes = 2 ** 24

/**
 * Reads a table of comma-separated values: a sample a record, quoted as RFC 4180 says. `float32` columns are numbers, `int64` ones bigints,
 * a list of words is read as int64 places in it. Fails with code `'io'`, naming file and line, on a value that its column does not hold,
 * a record with more or fewer columns, and records of more than 16 MiB.
 *
 * @example
 * const text = 'width,kind\n1.5,oak\n,fir\n'
 * const trees = await csv({ text }, { columns: { width: 'float32', kind: ['fir', 'oak'] } })
 * trees.get(0) // { width: 1.5, kind: 1 }
 */
export async function csv<const S extends Schema>(source: string | TextSource, options: CsvOptions<S>): Promise<PortableDataset<RowOf<S>>>
export async function csv(source: string | TextSource, options: CsvOptions<Schema>): Promise<PortableDataset<RowOf<Schema>>> {
  checkOptions('csv', options, ['columns', 'header', 'separator', 'missing', 'fill'])
  const { separator = ',' } = options
  const name = typeof source === 'string' ? `'${source}'` : 'the text'
  const reader = rowReader(name, options)
  const { parse } = await import('csv-parse/sync')
  const rows: RowOf<Schema>[] = []
  const place = { line: 1 }
  try {
    parse(bytesOf(source), {
      delimiter: separator,
      bom: true,
      skip_empty_lines: true,
      max_record_size: maxRecordBytes,
      on_record: (record: readonly string[], { lines }) => {
        place.line = lines
        const row = reader(record, lines)
        if (row !== undefined) rows.push(row)
        return null
      },
    })
  } catch (cause) {
    if (cause instanceof FirnError) throw cause
    const line = typeof cause === 'object' && cause !== null && 'lines' in cause ? cause.lines : place.line
    throw new FirnError('io', `csv: ${name}, line ${String(line)}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  return new Table(rows, { source: typeof source === 'string' ? resolve(source) : source, options })
}

interface Remade {
  readonly source: string | TextSource
  readonly options: CsvOptions<Schema>
}

/** For workers. @internal */
export const remakeCsv = ({ source, options }: Remade): Promise<PortableDataset> => csv(source, options)

class Table implements PortableDataset<RowOf<Schema>> {
  readonly #rows: readonly RowOf<Schema>[]
  readonly #made: Remade

  constructor(rows: readonly RowOf<Schema>[], made: Remade) {
    this.#rows = rows
    this.#made = made
  }

  get length(): number {
    return this.#rows.length
  }

  get(index: number): RowOf<Schema> {
    const row = this.#rows[index]
    if (row === undefined) throw new FirnError('argument', `csv: no sample ${index}; there are ${this.length}, counted from 0`)
    return { ...row }
  }

  origin(): Origin {
    return { module: import.meta.url, name: 'remakeCsv', args: this.#made }
  }
}

function bytesOf(source: string | TextSource): Buffer | string {
  if (typeof source !== 'string') return source.text
  try {
    return readFileSync(source)
  } catch (cause) {
    throw new FirnError('io', `csv: cannot read '${source}': ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** Makes rows of records; undefined for the header. */
function rowReader(where: string, { columns, header = true, missing = [''], fill = {} }: CsvOptions<Schema>) {
  const names = Object.keys(columns)
  if (names.length === 0) throw new FirnError('argument', 'csv: columns names none; say what to read, as in { width: "float32" }')
  const odd = Object.keys(fill).find((name) => !names.includes(name))
  if (odd !== undefined) throw unknownName('csv: fill', 'column', odd, names)
  const words = new Set(missing)
  const readers = names.map((name) => {
    const kind = columns[name] ?? 'string'
    const filler = Object.hasOwn(fill, name) ? fill[name] : kind === 'float32' ? NaN : undefined
    return { name, filler, isText: kind === 'string', ...readerOf('csv', name, kind) }
  })
  let at: readonly number[] | undefined = header ? undefined : names.map((_, i) => i)
  return (record: readonly string[], line: number): RowOf<Schema> | undefined => {
    if (at === undefined) {
      at = places(where, names, record)
      return undefined
    }
    const order = at
    const entries = readers.map(({ name, filler, isText, read, expected }, i) => {
      const text = record[order[i] ?? -1]
      if (text === undefined)
        throw new FirnError('io', `csv: ${where}, line ${line}: ${record.length} columns, and '${name}' is number ${i + 1}`)
      if (words.has(isText ? text : text.trim()) && (filler !== undefined || !isText)) {
        if (filler !== undefined) return [name, filler] as const
        throw new FirnError('io', `csv: ${where}, line ${line}: '${name}' is missing; give fill: { ${name}: ... }`)
      }
      const value = read(isText ? text : text.trim())
      if (value !== undefined) return [name, value] as const
      throw new FirnError('io', `csv: ${where}, line ${line}: '${name}' is ${shown(text)}, expected ${expected}`)
    })
    return Object.fromEntries(entries)
  }
}

function places(where: string, names: readonly string[], header: readonly string[]): readonly number[] {
  return names.map((name) => {
    const place = header.indexOf(name)
    if (place >= 0) return place
    throw unknownName(`csv: ${where}`, 'column', name, header.slice(0, 50))
  })
}
