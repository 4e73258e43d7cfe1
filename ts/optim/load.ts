// Loading an optimizer's state: everything is compared before anything is changed.
import { FirnError, nearest } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import type { ParamGroup } from './group.ts'
import {
  type CompleteOptions,
  completeOptions,
  fromKeys,
  type GivenOption,
  hasCourse,
  type OptionValue,
  type RuleName,
  ruleOf,
} from './rule.ts'
import type { PlateauState } from './schedule/index.ts'
import { type Counts, type GroupState, isOptimizerState, type OptimizerState, type TensorRecord } from './state.ts'
import type { Place, Stepper } from './stepper.ts'

/** Puts `saved` into the stepper, or changes nothing and throws an error that lists every difference. */
export function loadState(rule: RuleName, stepper: Stepper, saved: object): Counts {
  const what = `${rule}.loadStateDict`
  if (!isOptimizerState(saved)) throw new FirnError('argument', `${what}: this is not what an optimizer's stateDict() gives`)
  const differences = compare(rule, stepper, saved)
  if (differences.length > 0) {
    const count = differences.length === 1 ? '1 difference' : `${differences.length} differences`
    throw new FirnError('argument', [`${what}: ${count}, nothing was loaded`, ...differences.map((line) => `  ${line}`)].join('\n'))
  }
  const groups = saved.groups.map(({ options, given, plateaus = [] }, g): SavedOptions => {
    const values = completeOptions(`${what}: group ${g}`, rule, fromKeys(rule, options))
    return { values, given: fromKeys(rule, given), plateaus }
  })
  for (const [g, group] of stepper.groups.entries()) {
    const options = groups[g]
    if (options) restoreOptions(group, options, saved.steps)
    for (const place of stepper.places(g)) restoreTensors(stepper, place, saved.state[place.name] ?? {})
  }
  return { steps: saved.steps, window: { ...saved.window } }
}

interface SavedOptions extends Pick<GroupState, 'given'> {
  readonly values: CompleteOptions
  readonly plateaus: readonly PlateauState[]
}

// An option that is given as it was then goes on as it was when saved; one that has been given anew since holds.
function restoreOptions(group: ParamGroup, saved: SavedOptions, steps: number): void {
  group.plateaus = saved.plateaus
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

function compare(rule: RuleName, { groups }: Stepper, saved: OptimizerState): string[] {
  if (saved.rule !== rule) return [`rule: ${rule} here, ${saved.rule} in the state`]
  if (saved.groups.length !== groups.length) return [`groups: ${groups.length} here, ${saved.groups.length} in the state`]
  const names = saved.groups.flatMap((group, g) => compareNames(`group ${g}`, groups[g]?.names ?? [], group.params))
  const tensors = groups.flatMap((group) =>
    group.params.flatMap((tensor, i) => {
      const name = group.names[i] ?? ''
      return compareTensors(rule, name, tensor, saved.state[name] ?? {})
    }),
  )
  return [...names, ...tensors]
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

function compareTensors(rule: RuleName, name: string, param: Tensor<DType>, saved: TensorRecord): string[] {
  return Object.entries(saved).flatMap(([slot, value]) => {
    if (slot === 'step') return value.size === 1 ? [] : [`${name}: step is ${typeOf(value)}, expected one number`]
    if (slot !== 'grad' && !ruleOf(rule).slots.includes(slot)) return [`${name}: unexpected: ${slot}`]
    if (slot === 'grad' && !param.requiresGrad) return [`${name}: grad in the state, but the parameter requires none`]
    return typeOf(value) === typeOf(param) ? [] : [`${name}: ${slot} is ${typeOf(value)}, expected ${typeOf(param)}`]
  })
}

const typeOf = ({ dtype, shape }: Tensor<DType>): string => `${dtype} [${shape.join(', ')}]`
