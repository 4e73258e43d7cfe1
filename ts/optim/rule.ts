// The options of a rule: names, defaults and ranges come from the generated table, and end as one row of numbers for the core.
import { FirnError } from '../errors.ts'
import { type RuleOptions, rules } from './rules.gen.ts'
import { Plateau, Schedule } from './schedule/index.ts'

/** The rules by which parameters can be updated. */
export type RuleName = keyof typeof rules

/** A hyper-parameter over time. */
export type Course = Schedule | Plateau

/** An option, where every number may also be a course. */
type Scheduled<T> = T extends number ? number | Course : T extends readonly number[] ? { readonly [I in keyof T]: number | Course } : T

/** The options of a rule; any number of them may follow a schedule or a metric. */
export type OptionsOf<R extends RuleName> = { readonly [N in keyof RuleOptions[R]]: Scheduled<RuleOptions[R][N]> }

/** The value of one option. */
export type OptionValue = number | boolean | null | readonly number[]

/** An option as it is given: a value, a course of it, or a list with courses in it. */
export type GivenOption = OptionValue | Course | readonly (number | Course)[]

/** All options of a rule, checked. */
export type CompleteOptions = Readonly<Record<string, GivenOption>>

interface OptionRow {
  readonly name: string
  /** PyTorch's name, as in state dicts. */
  readonly key: string
  readonly kind: 'number' | 'boolean' | 'optional'
  readonly size: number
  readonly default: readonly number[]
  readonly check: string
}

/** A rule as the generated table describes it. */
export interface Rule {
  readonly id: number
  readonly options: readonly OptionRow[]
  readonly slots: readonly string[]
}

/** The table's row of a rule. */
export const ruleOf = (name: RuleName): Rule => rules[name]

/** Whether `name` is a rule of the table. */
export const isRule = (name: unknown): name is RuleName => typeof name === 'string' && Object.hasOwn(rules, name)

/** The names of a rule's options. */
export const optionNames = (name: RuleName): string[] => ruleOf(name).options.map((row) => row.name)

/** `given` with the defaults filled in and every value checked; `what` opens the error message. */
export function completeOptions(what: string, name: RuleName, given: object): CompleteOptions {
  const values: Record<string, unknown> = { ...given }
  const complete: Record<string, GivenOption> = {}
  for (const row of ruleOf(name).options) {
    const value = values[row.name] === undefined ? defaultOf(row) : values[row.name]
    checkOption(what, row, valueAt(value, 0))
    if (isGiven(value)) complete[row.name] = Array.isArray(value) ? Object.freeze([...value]) : value
  }
  const { nesterov, momentum, dampening } = complete
  if (nesterov === true && dampening !== undefined && (momentum === 0 || dampening !== 0)) {
    throw new FirnError(
      'argument',
      `${what}: nesterov needs momentum > 0 and dampening 0, got momentum ${String(momentum)} and dampening ${String(dampening)}`,
    )
  }
  return complete
}

const isCourse = (value: unknown): value is Course => value instanceof Schedule || value instanceof Plateau

const isGiven = (value: unknown): value is GivenOption =>
  value === null || typeof value === 'number' || typeof value === 'boolean' || isCourse(value) || Array.isArray(value)

/** Whether an option follows a course, or has a number in it that does. */
export const hasCourse = (value: GivenOption): boolean => isCourse(value) || (Array.isArray(value) && value.some(isCourse))

/** An option at a step, as far as schedules tell; a plateau stands where `standing` says, at first at its start. */
export function valueAt(
  value: unknown,
  step: number,
  standing: (plateau: Plateau) => number = (plateau) => plateau.start().value,
): unknown {
  if (value instanceof Schedule) return value.at(step)
  if (value instanceof Plateau) return standing(value)
  return Array.isArray(value) ? value.map((item) => valueAt(item, step, standing)) : value
}

/** The plateaus of an option. */
export const plateausOf = (value: GivenOption): Plateau[] =>
  (Array.isArray(value) ? value : [value]).filter((item): item is Plateau => item instanceof Plateau)

/** An option as it is saved. */
export type OptionJson = OptionValue | ReturnType<Course['toJSON']> | readonly (number | ReturnType<Course['toJSON']>)[]

/** An option as JSON. */
export function optionJson(value: GivenOption): OptionJson {
  if (isCourse(value)) return value.toJSON()
  return isList(value) ? value.map((item) => (typeof item === 'number' ? item : item.toJSON())) : value
}

const isList = (value: GivenOption): value is readonly (number | Course)[] => Array.isArray(value)

/** The option that `optionJson` saved. */
export function optionFromJson(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(optionFromJson)
  if (typeof json !== 'object' || json === null) return json
  return 'kind' in json && json.kind === 'plateau' ? Plateau.fromJSON(json) : Schedule.fromJSON(json)
}

/** Writes the options, checked again since anybody may have set them, to a row of numbers in the table's order. */
export function packOptions(what: string, name: RuleName, values: Readonly<Record<string, unknown>>, row: Float64Array): void {
  let at = 0
  for (const option of ruleOf(name).options) {
    const value = checkOption(what, option, values[option.name])
    if (typeof value === 'object' && value !== null) for (const item of value) row[at++] = item
    else row[at++] = value === null ? NaN : Number(value)
  }
}

/** Options under PyTorch's names, as state dicts hold them. */
export const toKeys = <T>(name: RuleName, values: Readonly<Record<string, T>>): Record<string, T> =>
  renamed(
    values,
    ruleOf(name).options.map((row) => [row.name, row.key]),
  )

/** Options of a state dict under our names. */
export const fromKeys = <T>(name: RuleName, values: Readonly<Record<string, T>>): Record<string, T> =>
  renamed(
    values,
    ruleOf(name).options.map((row) => [row.key, row.name]),
  )

function renamed<T>(values: Readonly<Record<string, T>>, names: readonly (readonly [from: string, to: string])[]): Record<string, T> {
  const out: Record<string, T> = {}
  for (const [from, to] of names) {
    const value = values[from]
    if (value !== undefined) out[to] = value
  }
  return out
}

/** How many numbers the options of a rule take. */
export const rowSize = (name: RuleName): number => ruleOf(name).options.reduce((sum, { size }) => sum + size, 0)

function defaultOf({ kind, size, default: numbers }: OptionRow): OptionValue {
  const [first = 0] = numbers
  if (kind === 'optional' && Number.isNaN(first)) return null
  return kind === 'boolean' ? first !== 0 : size === 1 ? first : numbers
}

function checkOption(what: string, { name, size, kind, check }: OptionRow, value: unknown): OptionValue {
  if (kind === 'boolean') {
    if (typeof value === 'boolean') return value
    throw invalid(what, name, 'true or false', value)
  }
  if (kind === 'optional' && value === null) return null
  if (size === 1) return checkNumber(what, name, check, value)
  if (Array.isArray(value) && value.length === size) return value.map((item, i) => checkNumber(what, `${name}[${i}]`, check, item))
  throw invalid(what, name, `${size} numbers`, value)
}

function checkNumber(what: string, name: string, check: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && inRange(value, check)) return value
  throw invalid(what, name, check, value)
}

const invalid = (what: string, name: string, expected: string, value: unknown): FirnError =>
  new FirnError(
    'argument',
    `${what}: ${name} must be ${expected}, got ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  )

type Range = (value: number) => boolean
const ranges = new Map<string, Range>()

function inRange(value: number, check: string): boolean {
  const range = ranges.get(check) ?? parseRange(check)
  ranges.set(check, range)
  return range(value)
}

// A check reads 'finite', '>= 0', '> 0', '<= 0' or 'in [0, 1)'.
function parseRange(check: string): Range {
  if (check === 'finite') return Number.isFinite
  const [, sign, bound, open, low, high, close] = /^(?:([<>]=?) (\S+)|in ([[(])(\S+), (\S+)([\])]))$/.exec(check) ?? []
  if (sign === '<=') return (value) => value <= Number(bound)
  if (sign !== undefined) return above(Number(bound), sign === '>=')
  const least = above(Number(low), open === '[')
  const most = above(-Number(high), close === ']')
  return (value) => least(value) && most(-value)
}

const above = (bound: number, included: boolean): Range => (included ? (value) => value >= bound : (value) => value > bound)
