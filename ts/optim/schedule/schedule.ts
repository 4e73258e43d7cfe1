// Schedule: a hyper-parameter as a function of the step: a frozen value in closed form, so that it prints, compares, saves and resumes.
import { FirnError } from '../../errors.ts'
import { checkValue, complete } from './check.ts'
import { type FormKind, forms, isFormKind, type Value } from './forms.ts'

/** What combines schedules: one after another, their product, or a rise before one. */
export interface Compositions {
  readonly sequential: { readonly schedules: readonly Schedule[]; readonly milestones: readonly number[] }
  readonly chained: { readonly schedules: readonly Schedule[] }
  readonly warmup: { readonly schedule: Schedule; readonly steps: number; readonly start: number }
}

/** The names of the schedules. */
export type ScheduleKind = FormKind | keyof Compositions

/** A schedule as it is saved. */
export type ScheduleJson = {
  readonly kind: ScheduleKind
  readonly [name: string]: Value | ScheduleJson | readonly ScheduleJson[]
}

/** What a schedule is made of. */
type Parts = Readonly<Record<string, Value | Schedule | readonly Schedule[]>>

/** A hyper-parameter as a function of the step, made by `constant`, `cosine`, `sequential` and the like. */
export class Schedule<K extends ScheduleKind = ScheduleKind> {
  readonly kind: K
  readonly numbers: Parts
  readonly #at: (step: number) => number

  /** Schedules are made by the functions named after their kinds. */
  constructor(kind: K, numbers: Parts, at: (step: number) => number) {
    this.kind = kind
    this.numbers = Object.freeze(numbers)
    this.#at = at
    Object.freeze(this)
  }

  /** The schedule that `toJSON` saved. */
  static fromJSON(json: unknown): Schedule {
    if (typeof json === 'object' && json !== null && 'kind' in json) {
      const { kind, ...numbers } = json
      if (isFormKind(kind)) return formed(kind, numbers)
      const { schedules, schedule, milestones, steps, start }: Record<string, unknown> = numbers
      const all = Array.isArray(schedules) ? schedules.map((item) => Schedule.fromJSON(item)) : []
      if (kind === 'sequential') return sequence(all, milestones)
      if (kind === 'chained') return product(all)
      if (kind === 'warmup') return rise(Schedule.fromJSON(schedule), steps, start)
    }
    const known = [...Object.keys(forms), 'sequential', 'chained', 'warmup']
    throw new FirnError('argument', `Schedule.fromJSON: not a saved schedule: ${JSON.stringify(json)}; known kinds: ${known.join(', ')}`)
  }

  /**
   * The value for update number `step`, counted from 0.
   * @example
   * optim.linear({ from: 1, steps: 10 }).at(5) // 0.5
   */
  at(step: number): number {
    return this.#at(step)
  }

  /** Whether `other` gives the same values for the same reason. */
  equals(other: unknown): boolean {
    return other instanceof Schedule && JSON.stringify(this) === JSON.stringify(other)
  }

  toJSON(): ScheduleJson {
    const entries = Object.entries(this.numbers).map(([name, part]) => [name, saved(part)] as const)
    return { kind: this.kind, ...Object.fromEntries(entries) }
  }

  toString(): string {
    const parts = Object.entries(this.numbers).map(([name, part]) => `${name}: ${shown(part)}`)
    return `${this.kind}({ ${parts.join(', ')} })`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

type Part = Parts[string]

const isSchedules = (part: Part): part is readonly Schedule[] => Array.isArray(part) && part.length > 0 && part[0] instanceof Schedule

const saved = (part: Part): Value | ScheduleJson | readonly ScheduleJson[] =>
  part instanceof Schedule ? part.toJSON() : isSchedules(part) ? part.map((schedule) => schedule.toJSON()) : part

const shown = (part: Part): string => (Array.isArray(part) ? `[${part.join(', ')}]` : typeof part === 'string' ? `'${part}'` : String(part))

/** A schedule of a closed form. */
export function formed<K extends FormKind>(kind: K, given: object): Schedule<K> {
  const form = forms[kind]
  const values = complete(kind, form.values, given)
  const numbers = completed(form.values, values)
  // A kind that counts its rise itself has no warm-up of ours.
  const { warmup = 0, from = 0 } = kind === 'noam' ? {} : { ...values }
  const rises = Number(warmup)
  return new Schedule(kind, values, (step) => (step < rises ? (Number(from) * (step + 1)) / (rises + 1) : form.at(numbers, step - rises)))
}

/** The values of a form under its own type: `complete` has checked every one. */
function completed<T>(names: { readonly [N in keyof Required<T>]: unknown }, values: Readonly<Record<string, Value>>): Required<T> {
  const own: unknown = values
  if (!hasAll<T>(names, own)) throw new FirnError('internal', 'a schedule lacks a value')
  return own
}

const hasAll = <T>(names: object, values: unknown): values is Required<T> =>
  typeof values === 'object' && values !== null && Object.keys(names).every((name) => name in values)

/** `sequential`, with its arguments checked. */
export function sequence(schedules: readonly Schedule[], milestones: unknown): Schedule<'sequential'> {
  checkValue('sequential', 'milestones', 'counts', milestones)
  const list: readonly number[] = Array.isArray(milestones) ? milestones : []
  if (schedules.length === 0 || list.length !== schedules.length - 1) {
    throw new FirnError(
      'argument',
      `sequential: expected one milestone between each two schedules, got ${list.length} for ${schedules.length} schedules`,
    )
  }
  if (list.some((milestone, i) => i > 0 && milestone <= (list[i - 1] ?? 0))) {
    throw new FirnError('argument', `sequential: milestones must ascend, got [${list.join(', ')}]`)
  }
  return new Schedule('sequential', { schedules: Object.freeze([...schedules]), milestones: Object.freeze([...list]) }, (step) => {
    const i = list.filter((milestone) => milestone <= step).length
    return schedules[i]?.at(step - (i === 0 ? 0 : (list[i - 1] ?? 0))) ?? 0
  })
}

/** `chained`, with its arguments checked. */
export function product(schedules: readonly Schedule[]): Schedule<'chained'> {
  if (schedules.length === 0) throw new FirnError('argument', 'chained: expected one schedule or more, got none')
  return new Schedule('chained', { schedules: Object.freeze([...schedules]) }, (step) =>
    schedules.reduce((value, schedule) => value * schedule.at(step), 1),
  )
}

/** `warmup`, with its arguments checked. */
export function rise(schedule: Schedule, steps: unknown, start: unknown): Schedule<'warmup'> {
  checkValue('warmup', 'steps', 'count >= 1', steps)
  checkValue('warmup', 'start', 'share', start)
  const [length, low] = [Number(steps), Number(start)]
  return new Schedule('warmup', { schedule, steps: length, start: low }, (step) =>
    step < length ? schedule.at(0) * (low + ((1 - low) * step) / length) : schedule.at(step - length),
  )
}
