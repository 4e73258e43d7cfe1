// Loading what PyTorch's optimizers save: by position, as PyTorch does, with everything compared before anything is changed.
import { FirnError } from '../../errors.ts'
import { type DType, Tensor, tensor } from '../../tensor/index.ts'
import type { ParamGroup } from '../group.ts'
import { compareTensors, refuse } from '../load.ts'
import { fromKeys, isRule, type OptionValue, type RuleName, ruleOf, toKeys } from '../rule.ts'
import type { OptimizerState } from '../state.ts'
import type { Place, Stepper } from '../stepper.ts'
import { layoutOf, type TorchLayout, type TorchOption, torchRules } from './layout.ts'
import { requireLayout } from './save.ts'
import { isTorchState, type TorchEntry, type TorchGroup, type TorchOptimizerState } from './state.ts'

type Slots = Readonly<Record<string, TorchEntry>>

/**
 * PyTorch's state as one of ours, to be loaded; throws an error that lists every difference from the optimizer at hand. `steps` are the
 * updates made, by default the most that any parameter counts.
 */
export function fromTorch(rule: RuleName, stepper: Stepper, saved: unknown, steps: number | null): OptimizerState {
  const what = `${rule}.loadTorchStateDict`
  const layout = requireLayout(what, rule)
  if (!isTorchState(saved))
    throw new FirnError('argument', `${what}: this is not what a PyTorch optimizer's state_dict() gives, { state, param_groups }`)
  refuse(what, compareSizes(stepper, saved))
  const made = steps ?? Math.max(0, ...Object.values(saved.state).map(({ step = null }) => numberOf(step) ?? 0))
  const differences = strangers(saved)
  const groups = stepper.groups.map((group, g) => {
    const of = saved.param_groups[g] ?? { params: [] }
    differences.push(...compareGroup(`group ${g}`, rule, layout, of))
    return { group, options: loadOptions(rule, layout, group, of), ids: of.params }
  })
  refuse(what, differences)
  const state = groups.flatMap(({ options, ids }, g) =>
    stepper.places(g).flatMap((place, i): [string, Record<string, Tensor<DType>>][] => {
      const slots = saved.state[String(ids[i])] ?? {}
      const read = readSlots(stepper, place, options, slots, differences)
      if (!layout.counted && Object.keys(read).length > 0 && made > 0) read['step'] = tensor(made)
      return Object.keys(read).length === 0 ? [] : [[place.name, read]]
    }),
  )
  const tensors = Object.fromEntries(state)
  refuse(what, [...differences, ...groups.flatMap(({ options }, g) => compareTensors(stepper, g, options, tensors))])
  return {
    rule,
    steps: made,
    window: { count: 0, weight: 0 },
    groups: groups.map(({ group: { names, given, plateaus }, options }) => ({
      params: names,
      options: toKeys(rule, options),
      given: toKeys(rule, given),
      plateaus,
    })),
    state: tensors,
  }
}

/** The rates that the groups of `saved` began with, where they say so. */
export const initialRates = (saved: unknown): (number | null)[] =>
  isTorchState(saved) ? saved.param_groups.map(({ initial_lr: rate }) => (typeof rate === 'number' ? rate : null)) : []

function compareSizes({ groups }: Stepper, { param_groups: saved }: TorchOptimizerState): string[] {
  if (saved.length !== groups.length) return [`groups: ${groups.length} here, ${saved.length} in the state`]
  return groups.flatMap(({ params }, g) => {
    const count = saved[g]?.params.length ?? 0
    return count === params.length ? [] : [`group ${g}: ${params.length} parameters here, ${count} in the state`]
  })
}

function strangers({ state, param_groups: groups }: TorchOptimizerState): string[] {
  const ids = new Set(groups.flatMap(({ params }) => params.map(String)))
  return Object.keys(state).flatMap((id) => (ids.has(id) ? [] : [`state: parameter ${id} is in no group`]))
}

// Keys that nobody knows are their user's own; those of another optimizer tell that the state is not of this one.
function compareGroup(where: string, rule: RuleName, layout: TorchLayout, saved: TorchGroup): string[] {
  const known = torchKeys(rule)
  const foreign = Object.keys(saved).filter((key) => !known.has(key) && otherRules(rule).some((other) => torchKeys(other).has(key)))
  const decoupled = layout.constants['decoupled_weight_decay']
  const { decoupled_weight_decay: decay = decoupled, adjust_lr_fn: adjust = null } = saved
  return [
    ...foreign.map((key) => `${where}: ${key} is no option of ${rule}`),
    ...(decoupled !== undefined && decay !== decoupled
      ? [`${where}: decoupled_weight_decay is ${String(decay)} in the state and ${String(decoupled)} in ${rule}`]
      : []),
    ...(adjust !== null && adjust !== 'original' && adjust !== 'match_rms_adamw'
      ? [`${where}: adjust_lr_fn is '${String(adjust)}'; firn has 'original' and 'match_rms_adamw'`]
      : []),
  ]
}

const otherRules = (rule: RuleName): RuleName[] => torchRules().filter((name): name is RuleName => isRule(name) && name !== rule)

function torchKeys(rule: RuleName): Set<string> {
  const layout = layoutOf(rule)
  const options = Object.fromEntries(ruleOf(rule).options.map(({ key }) => [key, null]))
  return new Set(Object.keys({ ...(layout?.toGroup?.(options) ?? options), ...layout?.constants }))
}

// What an older file does not name stays as it is.
function loadOptions(rule: RuleName, { fromGroup }: TorchLayout, group: ParamGroup, saved: TorchGroup): Record<string, OptionValue> {
  const given = Object.fromEntries(
    Object.entries(saved).flatMap(([key, value]): [string, TorchOption][] => (isOption(value) ? [[key, value]] : [])),
  )
  const named = fromKeys(rule, fromGroup?.(given) ?? given)
  const values = Object.entries(named).flatMap(([name, value]): [string, OptionValue][] => (isOptionValue(value) ? [[name, value]] : []))
  return { ...group.options, lr: group.lr, ...Object.fromEntries(values) }
}

const isOption = (value: TorchGroup[string]): value is TorchOption =>
  value !== undefined && (!Array.isArray(value) || value.every((item) => typeof item === 'number' || item === null))

const isOptionValue = (value: TorchOption): value is OptionValue =>
  typeof value !== 'string' && (!Array.isArray(value) || value.every((item) => typeof item === 'number'))

function readSlots(
  stepper: Stepper,
  { name, param }: Place,
  options: Readonly<Record<string, OptionValue>>,
  saved: Slots,
  differences: string[],
): Record<string, Tensor<DType>> {
  const read: Record<string, Tensor<DType>> = {}
  const entries = Object.entries(saved).filter(([, value]) => value !== null)
  if (entries.length === 0) return read
  const first = stepper.first(param, options)
  for (const [key, value] of entries) {
    const dtype = key === 'step' ? 'float32' : first.find(({ slot }) => slot === key)?.value.dtype
    if (dtype === undefined) differences.push(`${name}: unexpected: ${key}`)
    else if (value instanceof Tensor) read[key] = value.detach().to(dtype)
    else if (typeof value === 'number') read[key] = tensor(value, { dtype })
    else differences.push(`${name}: ${key} is no tensor`)
  }
  const missing = first.filter(({ slot, used }) => used && !Object.hasOwn(saved, slot))
  differences.push(...missing.map(({ slot }) => `${name}: missing: ${slot}`))
  return read
}

function numberOf(value: TorchEntry): number | null {
  if (typeof value === 'number') return value
  return value instanceof Tensor && value.size === 1 ? Number(value.itemSync()) : null
}
