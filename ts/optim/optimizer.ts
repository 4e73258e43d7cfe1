// Optimizer: a rule with its options, as a frozen value that prints, compares, saves, and is bound to parameters to be used.
import { checkOptions, FirnError } from '../errors.ts'
import { Average, type AverageJson } from './average.ts'
import { BoundOptimizer } from './bound.ts'
import { type BindTarget, isSource, type ParamGroup, parseTarget } from './group.ts'
import { compareState } from './load.ts'
import { refuseShard } from './shard.ts'
import { Stepper } from './stepper.ts'
import { matchGroups, type MatchGroup } from './match.ts'
import {
  type Course,
  type CompleteOptions,
  completeOptions,
  type GivenOption,
  isRule,
  optionFromJson,
  optionJson,
  type OptionJson,
  optionNames,
  type RuleName,
} from './rule.ts'

/** What an updater is told. */
export interface UpdaterContext {
  /** The group about to be updated; set its `lr` or any of its `options`. */
  readonly group: ParamGroup
  /** The node that trains; null outside a graph. */
  readonly node: unknown
  readonly currentEpoch: number
  /** Updates so far in this epoch. */
  readonly epochSteps: number
  /** Updates of an epoch; null where steps are counted. */
  readonly epochSize: number | null
  /** Updates so far. */
  readonly globalSteps: number
}

/**
 * Changes a group's options just before each update.
 *
 * @example
 * const decay: Updater = ({ group, globalSteps }) => { group.lr = group.initialLr * 0.99 ** globalSteps }
 */
export type Updater = (context: UpdaterContext) => void

/** Options that every optimizer has. */
export interface StepOptions {
  /** Called for each group before each update, after the schedule has set the rate. @default [] */
  readonly updaters?: readonly Updater[]
  /** Largest norm of all gradients together; they are scaled down to it. @default off */
  readonly clipGradNorm?: number
  /** The p of that norm, a number > 0; Infinity for the largest magnitude. @default 2 */
  readonly normType?: number
  /** Largest magnitude of a number in a gradient, after the norm was clipped. @default off */
  readonly clipGradValue?: number
  /** Micro-batches that make one update. @default the `gradAccSteps` given to `update` */
  readonly accumulate?: number
  /** A running average of the parameters, `optim.ema` or `optim.swa`; see `averaged`. @default none */
  readonly average?: Average
  /**
   * Update each parameter as soon as a backward pass has completed its gradient, and free the gradient: all of them are never there at once.
   * `step()` then ends the update. Not with what needs every gradient first: clipping by norm, windows, a gradient scaler. @default false
   */
  readonly inBackward?: boolean
  /** Whether to use the fused kernels; the plain ones are their reference. @default true */
  readonly fused?: boolean
  /**
   * Whether each of several processes keeps a part of the state and updates its part of the parameters, as ZeRO's first stage does; refused
   * until training over several processes exists. @default false
   */
  readonly shard?: boolean
}

/** An optimizer as it is saved; updaters are functions, so only their names are. */
export interface OptimizerJson {
  readonly rule: RuleName
  readonly options: Readonly<Record<string, OptionJson | AverageJson | string | readonly string[]>>
}

/** A rule with its options, made by `optim.sgd`, `optim.adamW` and so on; `bind` gives it parameters. */
export class Optimizer<R extends RuleName = RuleName> {
  readonly rule: R
  /** The rule's options, complete. */
  readonly options: CompleteOptions
  readonly updaters: readonly Updater[]
  readonly clipGradNorm: number | null
  readonly normType: number
  readonly clipGradValue: number | null
  readonly accumulate: number | null
  readonly fused: boolean
  readonly average: Average | null
  readonly inBackward: boolean

  constructor(rule: R, given: object) {
    checkOptions(rule, given, [...optionNames(rule), ...stepOptionNames])
    const options: Record<string, unknown> = { ...given }
    const { updaters = [], normType = 2, fused = true, shard = false, average = null, inBackward = false } = options
    refuseShard(rule, shard)
    if (!Array.isArray(updaters) || !updaters.every(isUpdater))
      throw new FirnError('argument', `${rule}: updaters must be a list of functions`)
    this.rule = rule
    if (average !== null && !(average instanceof Average))
      throw new FirnError('argument', `${rule}: average must be optim.ema(...) or optim.swa(...), got ${String(average)}`)
    this.options = Object.freeze(completeOptions(rule, rule, given))
    this.updaters = Object.freeze([...updaters])
    this.clipGradNorm = checkPositive(`${rule}: clipGradNorm`, options['clipGradNorm'])
    this.normType = normType === Infinity || normType === 'inf' ? Infinity : (checkPositive(`${rule}: normType`, normType) ?? 2)
    this.clipGradValue = checkPositive(`${rule}: clipGradValue`, options['clipGradValue'])
    this.accumulate = checkPositive(`${rule}: accumulate`, options['accumulate'])
    this.fused = Boolean(fused)
    this.average = average
    this.inBackward = Boolean(inBackward)
    const bound = this.clipGradNorm === null ? Number(this.options['maxGradNorm'] ?? 0) : this.clipGradNorm
    if (this.inBackward && (bound > 0 || (this.accumulate ?? 1) > 1))
      throw new FirnError(
        'argument',
        `${rule}: inBackward updates a parameter before the gradients of others are there, so it goes neither with a bound of their norm (${bound}) nor with windows (accumulate: ${this.accumulate ?? 1}); leave these out`,
      )
    if (!Number.isInteger(this.accumulate ?? 1))
      throw new FirnError('argument', `${rule}: accumulate must be a whole number, got ${this.accumulate}`)
    Object.freeze(this)
  }

  /** The optimizer that `toJSON` saved. Fails if it had updaters, for functions are not saved. */
  static fromJSON(json: unknown): Optimizer {
    const { rule, options }: Record<string, unknown> = typeof json === 'object' ? { ...json } : {}
    if (!isRule(rule) || typeof options !== 'object' || options === null) {
      throw new FirnError('argument', `Optimizer.fromJSON: not a saved optimizer: ${JSON.stringify(json)}`)
    }
    return new Optimizer(
      rule,
      Object.fromEntries(
        Object.entries(options).map(([name, value]) => [name, name === 'average' ? Average.fromJSON(value) : optionFromJson(value)]),
      ),
    )
  }

  /**
   * Gives the optimizer its parameters: those of a module, a list of tensors, or groups with options of their own; or those of a module or
   * list in groups by name. There, every parameter must be in exactly one group.
   *
   * @example
   * const decayed = optim.adamW().bind(model, [{ match: /bias$/, weightDecay: 0 }, { match: 'rest' }])
   * decayed.paramGroups.map(({ names }) => names) // [['fc.bias'], ['fc.weight']]
   * const opt = optim.adamW({ lr: 1e-3 }).bind(model)
   * const two = optim.sgd({ lr: 0.1 }).bind([{ params: [model.fc.weight] }, { params: [model.fc.bias], lr: 0.01 }])
   */
  bind(target: BindTarget<R>, groups: readonly MatchGroup<R>[] | null = null): BoundOptimizer {
    const what = `${this.rule}.bind`
    if (groups === null) return new BoundOptimizer(this, parseTarget(what, this.rule, this.options, target))
    if (!isSource(target)) throw new FirnError('argument', `${what}: give groups of tensors or groups by name, not both`)
    const found = matchGroups(what, target, groups)
    const sources = groups.map(({ match: _, ...own }, i) => ({ params: [], ...found[i], ...own }))
    return new BoundOptimizer(this, parseTarget(what, this.rule, this.options, sources))
  }

  /** What would keep a state from fitting once these parameters are bound, a line each; they need not require gradients yet. @internal */
  compareStateDict(target: BindTarget<R>, state: object): readonly string[] {
    const stepper = new Stepper(this.rule, parseTarget(`${this.rule}.bind`, this.rule, this.options, target))
    try {
      return compareState(this.rule, stepper, state, true).differences
    } finally {
      stepper.dispose()
    }
  }

  /** The rate, or a course of it. */
  get lr(): number | Course {
    const { lr = 0 } = this.options
    return isRate(lr) ? lr : 0
  }

  /** Whether `other` does the same: same rule, same options, the very same updaters. */
  equals(other: unknown): boolean {
    if (!(other instanceof Optimizer) || JSON.stringify(this) !== JSON.stringify(other)) return false
    return this.updaters.every((updater, i) => updater === other.updaters[i])
  }

  toJSON(): OptimizerJson {
    const { rule, options, clipGradNorm, normType, clipGradValue, accumulate, fused, average, inBackward, updaters } = this
    const own: Record<string, OptionJson | AverageJson | string | readonly string[]> = {}
    for (const [name, value] of Object.entries(options)) own[name] = optionJson(value)
    if (clipGradNorm !== null) own['clipGradNorm'] = clipGradNorm
    if (normType !== 2) own['normType'] = normType === Infinity ? 'inf' : normType
    if (clipGradValue !== null) own['clipGradValue'] = clipGradValue
    if (accumulate !== null) own['accumulate'] = accumulate
    if (!fused) own['fused'] = false
    if (average !== null) own['average'] = average.toJSON()
    if (inBackward) own['inBackward'] = true
    if (updaters.length > 0) own['updaters'] = updaters.map(({ name }) => name || 'anonymous')
    return { rule, options: own }
  }

  toString(): string {
    const { options } = this.toJSON()
    const shown = Object.entries({ ...options, ...this.options, ...(this.average && { average: this.average }) }).map(
      ([name, value]) => `${name}: ${showValue(value)}`,
    )
    return `${this.rule}({ ${shown.join(', ')} })`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

const stepOptionNames = [
  'updaters',
  'clipGradNorm',
  'normType',
  'clipGradValue',
  'accumulate',
  'average',
  'inBackward',
  'fused',
  'shard',
] as const satisfies readonly (keyof StepOptions)[]

const isRate = (value: GivenOption): value is number | Course =>
  typeof value === 'number' || (typeof value === 'object' && value !== null && !Array.isArray(value))

const isUpdater = (value: unknown): value is Updater => typeof value === 'function'

function checkPositive(name: string, value: unknown): number | null {
  if (value === undefined) return null
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value
  throw new FirnError('argument', `${name} must be a number > 0, got ${String(value)}; leave it out to switch it off`)
}

const showValue = (value: unknown): string => (Array.isArray(value) ? `[${value.join(', ')}]` : String(value))
