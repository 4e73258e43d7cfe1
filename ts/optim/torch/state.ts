// The state of an optimizer as PyTorch lays it out: parameters by number, in the order of the groups.
import { type DType, Tensor } from '../../tensor/index.ts'
import type { TorchOption } from './layout.ts'

/** What PyTorch's optimizers remember under one key: a tensor, a number, or lists of these. */
export type TorchEntry = Tensor<DType> | number | null | readonly TorchEntry[]

/** A group as PyTorch saves it: options under its names, and the numbers of the parameters. */
export type TorchGroup = {
  readonly params: readonly number[]
  readonly param_names?: readonly string[]
  readonly [option: string]: TorchOption | readonly string[]
}

/** What `state_dict()` of a PyTorch optimizer gives. */
export type TorchOptimizerState = {
  readonly state: Readonly<Record<string, Readonly<Record<string, TorchEntry>>>>
  readonly param_groups: readonly TorchGroup[]
}

/** Whether `value` has that form. */
export function isTorchState(value: unknown): value is TorchOptimizerState {
  if (!isRecord(value) || !isRecord(value['state']) || !Array.isArray(value['param_groups'])) return false
  return (
    Object.values(value['state']).every((slots) => isRecord(slots) && Object.values(slots).every(isEntry)) &&
    value['param_groups'].every(isGroup)
  )
}

function isEntry(value: unknown): value is TorchEntry {
  return value instanceof Tensor || typeof value === 'number' || value === null || (Array.isArray(value) && value.every(isEntry))
}

function isGroup(value: unknown): value is TorchGroup {
  return isRecord(value) && Array.isArray(value['params']) && value['params'].every((id) => typeof id === 'number')
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null
