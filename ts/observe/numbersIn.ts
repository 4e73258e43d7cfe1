// The numbers in a value that a node reported.
import type { Json } from '../io/index.ts'

/** A number under its name; those of a record, deep inside, under `name/key`. Lists, texts and null have no place in a line. */
export function numbersIn(name: string, value: Json): [name: string, value: number][] {
  if (typeof value === 'number') return [[name, value]]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, item]) => numbersIn(`${name}/${key}`, item))
}
