// What the values of a schedule must be.
import { checkOptions, FirnError } from '../../errors.ts'
import type { Check, Value } from './forms.ts'

const counted = (value: unknown, least: number): boolean => Number.isInteger(value) && Number(value) >= least
const finite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

const checks: { readonly [C in Exclude<Check, readonly string[]>]: readonly [expected: string, holds: (value: unknown) => boolean] } = {
  number: ['a number', finite],
  '>= 0': ['a number >= 0', (value) => finite(value) && value >= 0],
  '> 0': ['a number > 0', (value) => finite(value) && value > 0],
  count: ['a whole number >= 0', (value) => counted(value, 0)],
  'count >= 1': ['a whole number >= 1', (value) => counted(value, 1)],
  share: ['a number from 0 to 1', (value) => finite(value) && value >= 0 && value <= 1],
  counts: ['a list of whole numbers >= 0', (value) => Array.isArray(value) && value.every((item) => counted(item, 0))],
  flag: ['true or false', (value) => typeof value === 'boolean'],
}

/** Throws unless `value` is what `check` says. */
export function checkValue(what: string, name: string, check: Check, value: unknown): void {
  if (typeof check !== 'string') {
    if (typeof value === 'string' && check.includes(value)) return
    throw new FirnError('argument', `${what}: ${name} must be ${check.map((word) => `'${word}'`).join(' or ')}, got ${String(value)}`)
  }
  const [expected, holds] = checks[check]
  if (!holds(value)) throw new FirnError('argument', `${what}: ${name} must be ${expected}, got ${String(value)}`)
}

/** `given` with defaults filled in and every value checked. */
export function complete(
  what: string,
  values: Readonly<Record<string, readonly [fallback: Value | null, check: Check]>>,
  given: object,
): Readonly<Record<string, Value>> {
  checkOptions(what, given, Object.keys(values))
  const out: Record<string, Value> = {}
  for (const [name, [fallback, check]] of Object.entries(values)) {
    const own: unknown = Object.entries(given).find(([key]) => key === name)?.[1]
    const value = own === undefined ? fallback : own
    checkValue(what, name, check, value)
    if (isValue(value)) out[name] = Array.isArray(value) ? Object.freeze([...value]) : value
  }
  const { steps, warmup, decay = 0 } = out
  if (
    typeof steps === 'number' &&
    typeof warmup === 'number' &&
    typeof decay === 'number' &&
    warmup + decay >= steps + (decay > 0 ? 1 : 0)
  ) {
    const least = decay > 0 ? `warmup (${warmup}) and decay (${decay}) must fit into steps` : `warmup (${warmup}) must be less than steps`
    throw new FirnError('argument', `${what}: ${least} (${steps})`)
  }
  return Object.freeze(out)
}

const isValue = (value: unknown): value is Value =>
  typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || Array.isArray(value)
