// The state of a bound optimizer in PyTorch's layout.
import { FirnError } from '../../errors.ts'
import { type DType, type Tensor, tensor } from '../../tensor/index.ts'
import type { ParamGroup } from '../group.ts'
import { type RuleName, toKeys } from '../rule.ts'
import type { Place, Stepper } from '../stepper.ts'
import { layoutOf, type TorchLayout, torchRules } from './layout.ts'
import type { TorchEntry, TorchGroup, TorchOptimizerState } from './state.ts'

/** State that is firn's alone: PyTorch makes no float32 copies of half parameters, and keeps averages elsewhere. */
const own = new Set(['master', 'average'])

/** What PyTorch's optimizer of the same name would save; `names` adds the parameters' names to the groups. */
export function saveTorch(rule: RuleName, stepper: Stepper, names: boolean): TorchOptimizerState {
  const layout = requireLayout(`${rule}.torchStateDict`, rule)
  const param_groups = stepper.groups.map((group, g) => {
    const ids = stepper.places(g).map(({ at }) => at)
    return { ...saveGroup(rule, layout, group), params: ids, ...(names ? { param_names: group.names } : {}) }
  })
  const state = stepper.groups.flatMap((group, g) =>
    stepper.places(g).flatMap((place): [number, Record<string, TorchEntry>][] => {
      const slots = saveSlots(layout, stepper, place, group)
      return Object.keys(slots).length === 0 ? [] : [[place.at, slots]]
    }),
  )
  return { state: Object.fromEntries(state), param_groups }
}

/** The layout of a rule that PyTorch has. */
export function requireLayout(what: string, rule: RuleName): TorchLayout {
  const layout = layoutOf(rule)
  if (layout) return layout
  throw new FirnError(
    'argument',
    `${what}: PyTorch has no ${rule}, only ${torchRules().join(', ')}; use stateDict() between firn's optimizers`,
  )
}

function saveGroup(rule: RuleName, { constants, toGroup }: TorchLayout, group: ParamGroup): Omit<TorchGroup, 'params'> {
  const options = toKeys(rule, { ...group.options, lr: group.lr })
  const initial = group.schedule === null ? {} : { initial_lr: group.initialLr }
  return { ...(toGroup?.(options) ?? options), ...constants, ...initial }
}

function saveSlots(layout: TorchLayout, stepper: Stepper, { at, param }: Place, group: ParamGroup): Record<string, TorchEntry> {
  const steps = stepper.steps[at] ?? 0
  const slots: Record<string, TorchEntry> = {}
  for (const [slot, value] of stepper.slots(at)) if (!own.has(slot)) slots[slot] = torchDType(value.detach(), param)
  if (layout.eager && Object.keys(slots).length === 0) {
    for (const { slot, value, used } of stepper.first(param, { ...group.options, lr: group.lr })) if (used) slots[slot] = value
  }
  return layout.counted && Object.keys(slots).length > 0 ? { step: tensor(steps), ...slots } : slots
}

// The numbers that rules keep in float64 are of PyTorch's default dtype there.
const torchDType = (value: Tensor<DType>, param: Tensor<DType>): Tensor<DType> =>
  value.dtype === 'float64' && param.dtype !== 'float64' ? value.to('float32') : value
