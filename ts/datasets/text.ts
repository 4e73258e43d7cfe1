// Text as windows of characters or bytes, each with the one that follows: what language models learn from.
import { type BatchedDataset, type Origin, type PortableDataset, TensorDataset } from '../data/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import type { Tensor } from '../tensor/index.ts'

/** Options of `textWindows`. */
export interface TextOptions {
  /** Characters, or bytes, in a window. */
  readonly length: number
  /** From the beginning of a window to that of the next. @default length */
  readonly stride?: number
  /** What is counted: characters, by a vocabulary of those that occur, or bytes of UTF-8. @default 'char' */
  readonly level?: 'char' | 'byte'
  /** The characters that there are, as that of the text trained on; others in the text are an error. @default those of the text, in order of their code points */
  readonly vocabulary?: readonly string[]
}

/** A window, and the same one further on: int64 `[length]`. */
export interface TextWindow {
  readonly input: Tensor<'int64'>
  readonly target: Tensor<'int64'>
}

/**
 * Cuts a text into windows for a model that says what comes next: `target` is `input` one further on. Fails with code `'argument'` when the
 * text is shorter than one window and what follows, or has characters outside of the vocabulary.
 *
 * @example
 * const windows = textWindows('hello', { length: 2 })
 * windows.vocabulary            // ['e', 'h', 'l', 'o']
 * windows.get(1).input          // [2, 2]
 * windows.get(1).target         // [2, 3]
 * windows.decode([1, 0, 2])     // 'hel'
 */
export function textWindows(text: string, options: TextOptions): TextWindows {
  checkOptions('textWindows', options, ['length', 'stride', 'level', 'vocabulary'])
  const { length, stride = length, level = 'char', vocabulary } = options
  for (const [name, value] of Object.entries({ length, stride })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new FirnError('argument', `textWindows: ${name} ${value}, expected a whole number from 1`)
  }
  if (level !== 'char' && level !== 'byte')
    throw new FirnError('argument', `textWindows: level ${JSON.stringify(level)}, expected 'char' or 'byte'`)
  if (level === 'byte' && vocabulary !== undefined)
    throw new FirnError('argument', 'textWindows: bytes have no vocabulary of their own; leave it out')
  const words =
    level === 'byte' ? null : (vocabulary ?? [...new Set(text)].toSorted((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0)))
  return new TextWindows({ ids: encode(text, words), words, length, stride })
}

interface Encoded {
  readonly ids: Int32Array
  /** Null for bytes. */
  readonly words: readonly string[] | null
  readonly length: number
  readonly stride: number
}

/** For workers. @internal */
export const remakeText = ({ tokens, ...rest }: Omit<Encoded, 'ids'> & { readonly tokens: Int32Array }): TextWindows =>
  new TextWindows({ ids: tokens, ...rest })

/** Windows of a text; made by `textWindows`. */
export class TextWindows implements BatchedDataset<TextWindow, TextWindow>, PortableDataset<TextWindow> {
  readonly length: number
  /** The characters by their numbers; for bytes the numbers stand for themselves, and this is empty. */
  readonly vocabulary: readonly string[]
  /** How many different numbers there are. */
  readonly vocabularySize: number
  readonly #encoded: Encoded

  constructor(encoded: Encoded) {
    const { ids, words, length, stride } = encoded
    if (ids.length <= length)
      throw new FirnError(
        'argument',
        `textWindows: ${ids.length} characters or bytes, expected more than the length of a window, ${length}`,
      )
    this.length = Math.floor((ids.length - 1 - length) / stride) + 1
    this.vocabulary = words ?? []
    this.vocabularySize = words === null ? 256 : words.length
    this.#encoded = encoded
  }

  get(index: number): TextWindow {
    const { input, target } = this.#windows([index]).get(0)
    return { input, target }
  }

  batch(indices: readonly number[]): TextWindow {
    return this.#windows(indices).batch(indices.map((_, row) => row))
  }

  /** The numbers of a text. Fails with code `'argument'` on characters outside of the vocabulary. */
  encode(text: string): Int32Array {
    return encode(text, this.#encoded.words)
  }

  /** The text of numbers. Fails with code `'argument'` on numbers that stand for nothing. */
  decode(ids: Iterable<number | bigint>): string {
    const { words } = this.#encoded
    const numbers = Array.from(ids, Number)
    const odd = numbers.find((id) => !(Number.isInteger(id) && id >= 0 && id < this.vocabularySize))
    if (odd !== undefined)
      throw new FirnError('argument', `decode: ${odd} stands for nothing; there are ${this.vocabularySize} numbers from 0`)
    return words === null ? Buffer.from(numbers).toString('utf8') : numbers.map((id) => words[id]).join('')
  }

  /** Workers share the text. */
  origin(): Origin {
    const { ids, ...rest } = this.#encoded
    const tokens = new Int32Array(new SharedArrayBuffer(ids.byteLength))
    tokens.set(ids)
    return { module: import.meta.url, name: 'remakeText', args: { tokens, ...rest } }
  }

  #windows(indices: readonly number[]) {
    const { ids, length, stride } = this.#encoded
    const rows = (shift: number): BigInt64Array => {
      const data = new BigInt64Array(indices.length * length)
      indices.forEach((index, row) => {
        if (!(Number.isInteger(index) && index >= 0 && index < this.length))
          throw new FirnError('argument', `textWindows: no sample ${index}; there are ${this.length}, counted from 0`)
        const from = index * stride + shift
        for (let i = 0; i < length; i++) data[row * length + i] = BigInt(ids[from + i] ?? 0)
      })
      return data
    }
    return new TensorDataset({
      input: { dtype: 'int64', shape: [length], data: rows(0) },
      target: { dtype: 'int64', shape: [length], data: rows(1) },
    })
  }
}

function encode(text: string, words: readonly string[] | null): Int32Array {
  if (words === null) return Int32Array.from(Buffer.from(text))
  const ids = new Map(words.map((word, id) => [word, id]))
  return Int32Array.from(Array.from(text), (char) => {
    const id = ids.get(char)
    if (id !== undefined) return id
    throw new FirnError('argument', `textWindows: character ${JSON.stringify(char)} is not in the vocabulary of ${words.length}`)
  })
}
