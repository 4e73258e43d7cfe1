// What an optimizer remembers, by parameter name.
import { type DType, Tensor, tensor } from '../tensor/index.ts'
import type { ParamMode } from './mode.ts'
import { type OptionJson, type OptionValue, type RuleName, toKeys } from './rule.ts'
import type { PlateauState } from './schedule/index.ts'
import type { Place, Stepper } from './stepper.ts'

/** A group as it is saved; options under PyTorch's names (`weight_decay`). */
export type GroupState = {
  readonly params: readonly string[]
  /** All options, the rate among them, as they were when saved. */
  readonly options: Readonly<Record<string, OptionValue>>
  /** All options as the optimizer was given them. */
  readonly given: Readonly<Record<string, OptionJson>>
  /** How the options that follow a metric stand. */
  readonly plateaus?: readonly PlateauState[]
  /** The update that its schedules count from; the first where it is left out. */
  readonly since?: number
}

/** How far an optimizer has come. */
export type Counts = {
  /** Updates made. */
  readonly steps: number
  /** The window that is not full yet. */
  readonly window: { readonly count: number; readonly weight: number }
  /** Where schedule-free parameters are; training where it is left out. */
  readonly mode?: ParamMode
}

/** Tensors by name. */
export type TensorRecord = Readonly<Record<string, Tensor<DType>>>

/**
 * The state of a bound optimizer. `state` holds, for each parameter that was ever updated, its `step` and the rule's tensors
 * under PyTorch's names (`exp_avg`); in the middle of a window also `grad`.
 */
export type OptimizerState = Counts & {
  readonly rule: string
  readonly groups: readonly GroupState[]
  readonly state: Readonly<Record<string, TensorRecord>>
}

/** The state as it is now; going on does not change what was returned. */
export function saveState(rule: RuleName, counts: Counts, stepper: Stepper): OptimizerState {
  const groups = stepper.groups.map(({ names, lr, options, given, plateaus, since }): GroupState => {
    const saved = { params: names, options: toKeys(rule, { ...options, lr }), given: toKeys(rule, given) }
    return { ...saved, ...(plateaus.length > 0 && { plateaus }), ...(since > 0 && { since }) }
  })
  const state = stepper.groups.flatMap((_, g) =>
    stepper.places(g).flatMap((place): [string, TensorRecord][] => {
      const slots = saveSlots(stepper, place, counts.window.count > 0)
      return Object.keys(slots).length === 0 ? [] : [[place.name, slots]]
    }),
  )
  return { rule, ...counts, groups, state: Object.fromEntries(state) }
}

function saveSlots(stepper: Stepper, { at, param }: Place, withGrad: boolean): TensorRecord {
  const slots: Record<string, Tensor<DType>> = {}
  const steps = stepper.steps[at] ?? 0
  if (steps > 0) slots['step'] = tensor(steps)
  for (const [slot, value] of stepper.slots(at)) slots[slot] = value.detach()
  const grad = withGrad ? param.grad : null
  if (grad) slots['grad'] = grad
  return slots
}

/** Whether `value` has the form that `saveState` gives. */
export function isOptimizerState(value: object): value is OptimizerState {
  const { rule, steps, window, groups, state }: Record<string, unknown> = { ...value }
  if (typeof rule !== 'string' || typeof steps !== 'number') return false
  if (!isRecord(window) || typeof window['count'] !== 'number' || typeof window['weight'] !== 'number') return false
  if (!Array.isArray(groups) || !groups.every(isGroupState)) return false
  return (
    isRecord(state) &&
    Object.values(state).every((slots) => isRecord(slots) && Object.values(slots).every((slot) => slot instanceof Tensor))
  )
}

function isGroupState(value: unknown): value is GroupState {
  return isRecord(value) && Array.isArray(value['params']) && isRecord(value['given']) && isRecord(value['options'])
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null
