// Values from the text of a command line, by the JSON Schema of what they are to be.
import type { Json } from '../io/index.ts'

/** A JSON Schema, of which these words are read. */
export type JsonSchema = Readonly<Record<string, unknown>>

const yes = ['y', 'yes', 't', 'true', 'on', '1']
const no = ['n', 'no', 'f', 'false', 'off', '0']

export const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The schemas in a list of them. */
const schemasIn = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : [])

/** The words that are allowed, where only some are. */
export function wordsOf(schema: JsonSchema): string[] {
  if ('const' in schema) return [String(schema['const'])]
  if (Array.isArray(schema['enum'])) return schema['enum'].map(String)
  return alternatives(schema).flatMap(wordsOf)
}

const alternatives = (schema: JsonSchema): JsonSchema[] => [...schemasIn(schema['anyOf']), ...schemasIn(schema['oneOf'])]

/** Whether the value is a list, so that several words make one. */
export const isList = (schema: JsonSchema): boolean => schema['type'] === 'array'

/** What the text means; undefined where it means nothing that the schema allows. */
export function valueOf(text: string, schema: JsonSchema): Json | undefined {
  const choices = alternatives(schema)
  if (choices.length > 0) return firstOf(text, choices)
  if ('const' in schema) return oneOf(text, [schema['const']])
  if (Array.isArray(schema['enum'])) return oneOf(text, schema['enum'])
  switch (schema['type']) {
    case 'boolean':
      return yes.includes(text.toLowerCase()) || (no.includes(text.toLowerCase()) ? false : undefined)
    case 'number':
    case 'integer':
      return numberOf(text)
    case 'null':
      return /^(null|none)$/i.test(text) ? null : undefined
    case 'string':
      return text
    case 'array':
      return listOf(text, schema)
    default:
      return anyOf(text, schema['type'] !== undefined)
  }
}

// Text is anything, so whatever else it may be comes first.
function firstOf(text: string, choices: readonly JsonSchema[]): Json | undefined {
  const isText = (schema: JsonSchema): boolean => schema['type'] === 'string' && wordsOf(schema).length === 0
  for (const choice of [...choices.filter((each) => !isText(each)), ...choices.filter(isText)]) {
    const value = valueOf(text, choice)
    if (value !== undefined) return value
  }
  return undefined
}

function oneOf(text: string, values: readonly unknown[]): Json | undefined {
  const value = values.find((each) => String(each) === text)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null ? value : undefined
}

/** JSON where it is such, else the text unless that will not do. */
function anyOf(text: string, onlyJson: boolean): Json | undefined {
  const json = jsonOf(text)
  return json === undefined && !onlyJson ? text : json
}

function numberOf(text: string): number | undefined {
  const value = Number(text)
  return text.trim() === '' || Number.isNaN(value) ? undefined : value
}

/** `1,2`, `[1,2]` or JSON. */
function listOf(text: string, schema: JsonSchema): Json | undefined {
  const json = text.startsWith('[') ? jsonOf(text) : undefined
  if (json !== undefined) return json
  const inner = /^\[(.*)\]$/s.exec(text)?.[1] ?? text
  const parts = inner === '' ? [] : inner.split(',')
  const places = schemasIn(schema['prefixItems'])
  const rest = isSchema(schema['items']) ? schema['items'] : { type: 'string' }
  const values: Json[] = []
  for (const [i, part] of parts.entries()) {
    const value = valueOf(part.trim(), places[i] ?? rest)
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
