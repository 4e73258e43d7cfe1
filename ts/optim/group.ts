// Parameter groups: which tensors an optimizer updates, under which names, with which options.
import { checkOptions, FirnError } from '../errors.ts'
import { Module } from '../nn/index.ts'
import { type DType, Tensor } from '../tensor/index.ts'
import {
  type CompleteOptions,
  completeOptions,
  type GivenOption,
  hasCourse,
  optionJson,
  type OptionJson,
  optionNames,
  type OptionsOf,
  type OptionValue,
  plateausOf,
  type RuleName,
  valueAt,
} from './rule.ts'
import { type Plateau, type PlateauState, Schedule } from './schedule/index.ts'
import { refuseShard } from './shard.ts'

/** A tensor with the name it has in state dicts. */
export type NamedTensor = readonly [name: string, tensor: Tensor<DType>]

/** Parameters: those of a module, or a list of tensors, with or without names; without, they are called `0`, `1` and so on. */
export type ParamSource = Module | readonly Tensor<DType>[] | readonly NamedTensor[]

interface HasParams {
  readonly params: ParamSource
  readonly pattern?: string
}

/** Parameters with options of their own; what is not given is the optimizer's. */
export type GroupSource<R extends RuleName = RuleName> = Omit<HasParams, 'pattern'> & OptionsOf<R>

/** A group for an optimizer at work, whatever its rule; options that the rule has not are refused. */
export type AddedGroup = { readonly params: ParamSource; readonly [option: string]: ParamSource | GivenOption }

/** What an optimizer can be bound to. */
export type BindTarget<R extends RuleName = RuleName> = ParamSource | readonly GroupSource<R>[]

/** Parameters that are updated alike; its rate and options may be read and set at any time and hold from the next update on. */
export class ParamGroup {
  readonly names: readonly string[]
  readonly params: readonly Tensor<DType>[]
  /** The schedule of the rate; null where there is none. */
  readonly schedule: Schedule | null
  #initialLr: number
  /** The rate of the next update. */
  lr = 0
  /** The update that its schedules count from. */
  since = 0
  /** What chose its parameters; null where they were given. */
  readonly pattern: string | null
  /** The rule's options other than the rate. */
  readonly options: Record<string, OptionValue>
  /** All options as they were when the group was made. */
  readonly given: Readonly<Record<string, OptionJson>>
  /** Those options that follow a course. */
  readonly #courses: readonly (readonly [name: string, course: GivenOption])[]
  readonly #plateaus = new Map<Plateau, PlateauState>()

  constructor(named: readonly NamedTensor[], given: CompleteOptions, pattern: string | null = null) {
    this.pattern = pattern
    this.names = named.map(([name]) => name)
    this.params = named.map(([, tensor]) => tensor)
    const entries = Object.entries(given)
    this.#courses = entries.filter(([, value]) => hasCourse(value))
    for (const [, value] of this.#courses) for (const plateau of plateausOf(value)) this.#plateaus.set(plateau, plateau.start())
    const values = entries.filter(([name]) => name !== 'lr').map(([name, value]) => [name, optionAt(value, 0)] as const)
    this.options = Object.seal(Object.fromEntries(values))
    this.given = Object.fromEntries(entries.map(([name, value]) => [name, optionJson(value)]))
    this.schedule = given['lr'] instanceof Schedule ? given['lr'] : null
    this.lr = Number(optionAt(given['lr'] ?? 0, 0))
    this.#initialLr = this.lr
  }

  /** The rate this group began with. */
  get initialLr(): number {
    return this.#initialLr
  }

  /** Sets the rate that the group began with, as a state from elsewhere tells it; null leaves it. @internal */
  begin(rate: number | null): void {
    this.#initialLr = rate ?? this.#initialLr
  }

  /** How many numbers the parameters hold. */
  get size(): number {
    return this.params.reduce((sum, { size }) => sum + size, 0)
  }

  /** Sets every option that follows a course to its value at a step of the optimizer. */
  follow(steps: number): void {
    const step = Math.max(0, steps - this.since)
    for (const [name, course] of this.#courses) {
      this.set(
        name,
        optionAt(course, step, (plateau) => this.#plateaus.get(plateau)?.value ?? 0),
      )
    }
  }

  /** Sets one option, the rate among them. */
  set(name: string, value: OptionValue): void {
    if (name === 'lr') this.lr = Number(value)
    else this.options[name] = value
  }

  /** Tells the plateaus among the options a metric. */
  observe(metric: number): void {
    for (const [plateau, state] of this.#plateaus) this.#plateaus.set(plateau, plateau.observe(state, metric))
  }

  /** How the plateaus stand, in the order of the options. */
  get plateaus(): readonly PlateauState[] {
    return [...this.#plateaus.values()]
  }

  set plateaus(states: readonly PlateauState[]) {
    for (const [i, plateau] of [...this.#plateaus.keys()].entries()) {
      const state = states[i]
      if (state) this.#plateaus.set(plateau, state)
    }
  }
}

function optionAt(value: GivenOption, step: number, standing?: (plateau: Plateau) => number): OptionValue {
  const now = valueAt(value, step, standing)
  return Array.isArray(now) ? now.map(Number) : typeof now === 'boolean' || now === null ? now : Number(now)
}

/** The groups that `target` stands for, with `base` where they say nothing themselves; `what` opens error messages. */
export function parseTarget(what: string, rule: RuleName, base: CompleteOptions, target: ParamSource | readonly HasParams[]): ParamGroup[] {
  if (target instanceof Tensor) {
    throw new FirnError('argument', `${what}: got one tensor; give a module, a list of tensors or a list of groups`)
  }
  const sources: readonly HasParams[] = isGroups(target) ? target : [{ params: target }]
  let count = 0
  const groups = sources.map(({ pattern = null, ...source }, i) => {
    const group = parseGroup(sources.length > 1 ? `${what}: group ${i}` : what, rule, base, source, { start: count, pattern })
    count += group.params.length
    return group
  })
  checkDistinct(what, groups)
  return groups
}

/** One group; tensors without names are called by number, from `start` on. */
export function parseGroup(
  where: string,
  rule: RuleName,
  base: CompleteOptions,
  { params, ...own }: HasParams,
  { start, pattern = null }: { readonly start: number; readonly pattern?: string | null },
): ParamGroup {
  if ('shard' in own) refuseShard(where, own.shard)
  checkOptions(where, own, optionNames(rule))
  return new ParamGroup(nameAll(where, params, start), completeOptions(where, rule, { ...base, ...own }), pattern)
}

/** Whether these are parameters rather than groups. */
export const isSource = (target: ParamSource | readonly HasParams[]): target is ParamSource => !isGroups(target)

function isGroups(target: ParamSource | readonly HasParams[]): target is readonly HasParams[] {
  return Array.isArray(target) && target.length > 0 && target.every((item) => 'params' in item)
}

/** The tensors of a source with their names; those without are called by number, from `start` on. */
export function nameAll(where: string, source: ParamSource, start: number): readonly NamedTensor[] {
  const entries = source instanceof Module ? source.namedParameters() : source
  if (entries.length === 0) throw new FirnError('argument', `${where}: the list of parameters is empty`)
  return entries.map((entry, i): NamedTensor => {
    const [name, tensor] = Array.isArray(entry) ? entry : [String(start + i), entry]
    if (tensor instanceof Tensor) return [name, tensor]
    throw new FirnError('argument', `${where}: entry ${i} is not a tensor, nor a pair of a name and a tensor`)
  })
}

/** Throws where a tensor or a name comes twice. */
export function checkDistinct(what: string, groups: readonly ParamGroup[]): void {
  const names = new Map<Tensor<DType>, string>()
  const taken = new Set<string>()
  for (const group of groups) {
    for (const [i, tensor] of group.params.entries()) {
      const name = group.names[i] ?? ''
      const before = names.get(tensor)
      if (before !== undefined)
        throw new FirnError('argument', `${what}: parameter '${name}' comes twice, before as '${before}'; give it once`)
      if (taken.has(name))
        throw new FirnError('argument', `${what}: two parameters are called '${name}'; give [name, tensor] pairs with distinct names`)
      names.set(tensor, name)
      taken.add(name)
    }
  }
}
