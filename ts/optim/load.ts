// Loading an optimizer's state: everything is compared before anything is changed.
import { FirnError, nearest } from '../errors.ts'
import { type DType, type Tensor, tidy } from '../tensor/index.ts'
import type { ParamGroup } from './group.ts'
import { type CompleteOptions, completeOptions, fromKeys, type GivenOption, hasCourse, type OptionValue, type RuleName } from './rule.ts'
import type { PlateauState } from './schedule/index.ts'
import { type Counts, type GroupState, isOptimizerState, type OptimizerState, type TensorRecord } from './state.ts'
import type { Place, Stepper } from './stepper.ts'

/** A saved state beside the stepper that it is for. */
interface Comparison {
  /** A line each. */
  readonly differences: readonly string[]
  /** Puts the state into the stepper; only where there are no differences. */
  load(): Counts
}

/** Puts `saved` into the stepper, or changes nothing and throws an error that lists every difference. */
export function loadState(rule: RuleName, stepper: Stepper, saved: object): Counts {
  const { differences, load } = compareState(rule, stepper, saved)
  refuse(`${rule}.loadStateDict`, differences)
  return load()
}

/**
 * Compares a state with parameters. Fails with code `'argument'` when it is none.
 *
 * @param frozen whether the parameters may require gradients only later
 */
export function compareState(rule: RuleName, stepper: Stepper, saved: object, frozen = false): Comparison {
  const what = `${rule}.loadStateDict`
  if (!isOptimizerState(saved)) throw new FirnError('argument', `${what}: this is not what an optimizer's stateDict() gives`)
  const differences = compareGroups(rule, stepper, saved)
  // Options of another rule would only be strange.
  const options = differences.length > 0 ? [] : saved.groups.map((group, g) => savedOptions(`${what}: group ${g}`, rule, group))
  for (const [g, { values }] of options.entries()) {
    differences.push(
      ...compareNames(`group ${g}`, stepper.groups[g]?.names ?? [], saved.groups[g]?.params ?? []),
      ...compareTensors(stepper, g, values, saved.state, frozen),
    )
  }
  const load = (): Counts => {
    for (const [g, group] of stepper.groups.entries()) {
      const own = options[g]
      if (own) restoreOptions(group, own, saved.steps)
      for (const place of stepper.places(g)) restoreTensors(stepper, place, saved.state[place.name] ?? {})
    }
    return { steps: saved.steps, window: { ...saved.window }, mode: saved.mode ?? 'train' }
  }
  return { differences, load }
}

/** Throws an error that lists the differences, if there are any. */
export function refuse(what: string, differences: readonly string[]): void {
  if (differences.length === 0) return
  const count = differences.length === 1 ? '1 difference' : `${differences.length} differences`
  throw new FirnError('argument', [`${what}: ${count}, nothing was loaded`, ...differences.map((line) => `  ${line}`)].join('\n'))
}

interface SavedOptions extends Pick<GroupState, 'given'> {
  readonly values: CompleteOptions
  readonly plateaus: readonly PlateauState[]
  readonly since: number
}

function savedOptions(what: string, rule: RuleName, { options, given, plateaus = [], since = 0 }: GroupState): SavedOptions {
  return { values: completeOptions(what, rule, fromKeys(rule, options)), given: fromKeys(rule, given), plateaus, since }
}

// An option that is given as it was then goes on as it was when saved; one that has been given anew since holds.
function restoreOptions(group: ParamGroup, saved: SavedOptions, steps: number): void {
  group.plateaus = saved.plateaus
  group.since = saved.since
  group.follow(steps)
  for (const [name, value] of Object.entries(saved.values)) {
    if (JSON.stringify(group.given[name]) === JSON.stringify(saved.given[name]) && isPlain(value)) group.set(name, value)
  }
}

const isPlain = (value: GivenOption): value is OptionValue => !hasCourse(value)

function restoreTensors(stepper: Stepper, { at, param }: Place, { step, grad, ...slots }: TensorRecord): void {
  stepper.restore(at, step === undefined ? 0 : Number(step.itemSync()), slots)
  param.grad = grad ?? null
}

function compareGroups(rule: RuleName, { groups }: Stepper, saved: OptimizerState): string[] {
  if (saved.rule !== rule) return [`rule: ${rule} here, ${saved.rule} in the state`]
  return saved.groups.length === groups.length ? [] : [`groups: ${groups.length} here, ${saved.groups.length} in the state`]
}

function compareNames(where: string, here: readonly string[], there: readonly string[]): string[] {
  const missing = here.filter((name) => !there.includes(name))
  const unexpected = there.filter((name) => !here.includes(name))
  const near = (name: string, among: readonly string[]): string => {
    const other = nearest(name, among)
    return other === undefined ? '' : ` (did you mean '${other}'?)`
  }
  return [
    ...missing.map((name) => `${where}: missing: ${name}${near(name, unexpected)}`),
    ...unexpected.map((name) => `${where}: unexpected: ${name}${near(name, missing)}`),
  ]
}

/** How the tensors saved for group `g` differ from what its rule keeps under these options. */
export function compareTensors(
  stepper: Stepper,
  g: number,
  options: Readonly<Record<string, unknown>>,
  state: OptimizerState['state'],
  frozen = false,
): string[] {
  return stepper.places(g).flatMap(({ name, param }) => {
    const saved = state[name]
    return saved === undefined ? [] : tidy(() => compareSlots(stepper, { name, param, frozen }, options, saved))
  })
}

function compareSlots(
  stepper: Stepper,
  { name, param, frozen }: { readonly name: string; readonly param: Tensor<DType>; readonly frozen: boolean },
  options: Readonly<Record<string, unknown>>,
  saved: TensorRecord,
): string[] {
  const expected = new Map(stepper.first(param, options).map(({ slot, value }) => [slot, typeOf(value)]))
  return Object.entries(saved).flatMap(([slot, value]) => {
    if (slot === 'step') return value.size === 1 ? [] : [`${name}: step is ${typeOf(value)}, expected one number`]
    const type = slot === 'grad' ? typeOf(param) : expected.get(slot)
    if (type === undefined) return [`${name}: unexpected: ${slot}`]
    if (slot === 'grad' && !param.requiresGrad && !frozen) return [`${name}: grad in the state, but the parameter requires none`]
    return typeOf(value) === type ? [] : [`${name}: ${slot} is ${typeOf(value)}, expected ${type}`]
  })
}

const typeOf = ({ dtype, shape }: Tensor<DType>): string => `${dtype} [${shape.join(', ')}]`
