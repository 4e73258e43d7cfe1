// Hyper-parameters from the command line, typed by a schema, and logged with the runs that follow.
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { checkOptions, FirnError, nearest, unknownName } from '../errors.ts'
import type { Json } from '../io/index.ts'
import { isList, isSchema, type JsonSchema, valueOf, wordsOf } from './textValue.ts'

/** A schema of an object that checks values and describes itself as JSON Schema: of zod from 4.2 on, arktype, or valibot with `toStandardJsonSchema`. */
export interface HparamsSchema<Values = unknown> {
  readonly '~standard': StandardSchemaV1.Props<unknown, Values> & StandardJSONSchemaV1.Props<unknown, Values>
}

/** Options of `hparams`. */
export interface HparamsOptions {
  /** The words of the command line. @default process.argv.slice(2) */
  readonly argv?: readonly string[]
  /** Names of parameters that words without a `=` are for, in this order; where the last is a list, it takes the rest. @default [] */
  readonly positional?: readonly string[]
}

let latest: Readonly<Record<string, Json>> = {}

/** The hyper-parameters of this process; none before `hparams` was called. */
export const currentHparams = (): Readonly<Record<string, Json>> => latest

/**
 * Reads `key=value` (also `--key=value`) and positional words as the schema says, and logs them with the runs that follow. Booleans are y, yes, t, true, on, 1
 * and n, no, f, false, off, 0; lists and tuples `1,2` or JSON. `--help` prints a table and ends the process. Fails with code
 * `'argument'`, naming each parameter that is unknown, missing or wrong, and the nearest that is meant.
 *
 * @example
 * const schema = z.object({ lr: z.number().default(1e-3).describe('learning rate'), sizes: z.array(z.int()).default([64]) })
 * const { lr, sizes } = hparams(schema, { argv: ['lr=0.1', 'sizes=64,32'] })
 */
export function hparams<Schema extends StandardSchemaV1 & HparamsSchema>(
  schema: Schema,
  options: HparamsOptions = {},
): StandardSchemaV1.InferOutput<Schema> {
  checkOptions('hparams', options, ['argv', 'positional'])
  const { argv = process.argv.slice(2), positional = [] } = options
  const parameters = parametersOf(schema)
  for (const name of positional) parameterOf(parameters, name)
  if (argv.some((word) => word === '--help' || word === '-h')) {
    console.log(help(parameters, positional))
    process.exit(0)
  }
  const given = read(argv, parameters, positional)
  const result = schema['~standard'].validate(given)
  if (result instanceof Promise) throw new FirnError('argument', 'hparams: the schema checks values asynchronously; give one that does not')
  if (result.issues !== undefined) throw new FirnError('argument', result.issues.map((issue) => wrong(issue, given, parameters)).join('\n'))
  latest = JSON.parse(JSON.stringify(result.value))
  return result.value
}

interface Parameter {
  readonly schema: JsonSchema
  readonly required: boolean
}

type Parameters = ReadonlyMap<string, Parameter>

function parametersOf(schema: HparamsSchema): Parameters {
  const { properties, required } = schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' })
  if (!isSchema(properties)) throw new FirnError('argument', 'hparams: the schema is not that of an object with named parameters')
  const needed = Array.isArray(required) ? required : []
  const entry = ([name, each]: [string, unknown]): [string, Parameter] => [
    name,
    { schema: isSchema(each) ? each : {}, required: needed.includes(name) },
  ]
  return new Map(Object.entries(properties).map(entry))
}

function parameterOf(parameters: Parameters, name: string): Parameter {
  const parameter = parameters.get(name)
  if (parameter === undefined) throw unknownName('hparams', 'parameter', name, [...parameters.keys()])
  return parameter
}

function read(argv: readonly string[], parameters: Parameters, positional: readonly string[]): Record<string, Json> {
  const given = new Map<string, Json>()
  const put = (name: string, text: string): void => {
    const { schema } = parameterOf(parameters, name)
    if (given.has(name)) throw new FirnError('argument', `hparams: '${name}' is given twice; the second time as '${text}'`)
    // What cannot be read is left as it is, for the schema to say what it expects.
    const value = valueOf(text, schema)
    given.set(name, value === undefined ? text : value)
  }
  const words: string[] = []
  for (const word of argv) {
    const [, name, text] = /^(?:--)?([^=]+)=(.*)$/s.exec(word) ?? []
    if (name !== undefined && text !== undefined) put(name, text)
    else if (word.startsWith('--')) throw new FirnError('argument', `hparams: '${word}' has no value; write ${word.slice(2)}=value`)
    else words.push(word)
  }
  for (const [i, name] of positional.entries()) {
    if (words.length === 0) break
    const takesRest = i === positional.length - 1 && isList(parameterOf(parameters, name).schema)
    put(name, takesRest ? words.splice(0).join(',') : (words.shift() ?? ''))
  }
  const [extra] = words
  if (extra !== undefined) throw new FirnError('argument', `hparams: '${extra}' belongs to no parameter; write name=${extra}`)
  return Object.fromEntries(given)
}

function wrong(issue: StandardSchemaV1.Issue, given: Readonly<Record<string, Json>>, parameters: Parameters): string {
  const path = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part))
  const name = String(path[0] ?? '')
  const value = given[name]
  if (value === undefined) return `hparams: '${name}' is missing; write ${name}=value`
  const shown = typeof value === 'string' ? value : JSON.stringify(value)
  const near = typeof value === 'string' ? nearest(value, wordsOf(parameters.get(name)?.schema ?? {})) : undefined
  return `hparams: ${name}=${shown}: ${issue.message}${near === undefined ? '' : `; did you mean '${near}'?`}`
}

function help(parameters: Parameters, positional: readonly string[]): string {
  const rows = Array.from(parameters, ([name, { schema, required }]) => [
    positional.includes(name) ? `[${name}=]` : `${name}=`,
    kindOf(schema),
    'default' in schema ? `default ${JSON.stringify(schema['default'])}` : required ? 'required' : '',
    typeof schema['description'] === 'string' ? schema['description'] : '',
  ])
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd()).join('\n')
}

function kindOf(schema: JsonSchema): string {
  const words = wordsOf(schema)
  if (words.length > 0 && !('anyOf' in schema)) return words.join('|')
  if (Array.isArray(schema['anyOf'])) return schema['anyOf'].filter(isSchema).map(kindOf).join('|')
  if (Array.isArray(schema['prefixItems'])) return schema['prefixItems'].filter(isSchema).map(kindOf).join(',')
  if (isList(schema)) return `${isSchema(schema['items']) ? kindOf(schema['items']) : 'any'},...`
  return typeof schema['type'] === 'string' ? schema['type'] : 'any'
}
