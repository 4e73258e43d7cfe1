// Columns of text as values: what a schema says of a column, and how its text is read.
import { FirnError, unknownName } from '../errors.ts'

/** What a column holds; a list of words is a column of those words, read as their places in the list. */
export type ColumnKind = 'float32' | 'int64' | 'bool' | 'string' | readonly string[]

/** The columns to read, by name. */
export type Schema = Readonly<Record<string, ColumnKind>>

/** The value of a column in a sample. */
export type ColumnValue<K> = K extends 'float32'
  ? number
  : K extends 'int64' | readonly string[]
    ? bigint
    : K extends 'bool'
      ? boolean
      : string

/** A sample with a value for each column. */
export type RowOf<S extends Schema> = { readonly [Name in keyof S]: ColumnValue<S[Name]> }

/** Reads the text of a column; undefined for text that is no value of its kind. */
export type ReadText = (text: string) => number | bigint | boolean | string | undefined

const readers = {
  float32: (text) => (numberPattern.test(text) ? Number(text) : special[text.toLowerCase()]),
  int64: (text) => (/^[+-]?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? BigInt(text) : undefined),
  bool: (text) => booleans[text.toLowerCase()],
  string: (text) => text,
} satisfies Record<string, ReadText>

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const special: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  infinity: Infinity,
  '-infinity': -Infinity,
}
const booleans: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false }

/** How a column is read, and what it expects, in words. Fails with code `'argument'` on a kind that does not exist. */
export function readerOf(what: string, name: string, kind: ColumnKind): { readonly read: ReadText; readonly expected: string } {
  if (typeof kind !== 'string') {
    const places = new Map(kind.map((word, place) => [word, BigInt(place)]))
    if (kind.length === 0 || places.size < kind.length)
      throw new FirnError(
        'argument',
        `${what}: column '${name}' has ${kind.length} words, ${places.size} of them different; expected some, each once`,
      )
    return { read: (text) => places.get(text), expected: `one of ${kind.slice(0, 10).join(', ')}${kind.length > 10 ? ', ...' : ''}` }
  }
  if (!Object.hasOwn(readers, kind)) throw unknownName(`${what}: column '${name}'`, 'kind', kind, Object.keys(readers))
  return { read: readers[kind], expected: `a value of ${kind}` }
}

/** Text from a file, short enough for a message. */
export const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
