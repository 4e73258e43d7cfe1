// Reading a saved state back: it comes from a file, so each part is looked at before it is used.
import { FirnError } from '../errors.ts'
import type { Json, StateTree } from '../io/index.ts'
import { type DType, Tensor } from '../tensor/index.ts'

/** The state as a record. Fails with code `'io'`, naming `what`, when it is something else. */
export function savedRecord(what: string, state: StateTree | undefined): Readonly<Record<string, StateTree>> {
  if (typeof state === 'object' && state !== null && !isList(state) && !(state instanceof Tensor)) return state
  throw new FirnError('io', `${what}: the saved state has no record where one is expected`)
}

/** A number of the record. Fails with code `'io'`, naming `what`, when it is not there. */
export function savedNumber(what: string, record: Readonly<Record<string, StateTree>>, key: string): number {
  const value = record[key]
  if (typeof value === 'number') return value
  throw new FirnError('io', `${what}: the saved state has no number '${key}'`)
}

/** A whole number from 0 on, as counts are. Fails with code `'io'`, naming `what`, when it is something else. */
export function savedCount(what: string, record: Readonly<Record<string, StateTree>>, key: string): number {
  const value = savedNumber(what, record, key)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new FirnError('io', `${what}: '${key}' of the saved state is ${value}, expected a whole number from 0 on`)
}

/** The state without tensors. Fails with code `'io'`, naming `what`, when it holds one. */
export function savedJson(what: string, state: StateTree | undefined): Json {
  if (state === undefined || state instanceof Tensor)
    throw new FirnError('io', `${what}: the saved state has no plain data where some is expected`)
  if (typeof state !== 'object' || state === null) return state
  if (isList(state)) return state.map((item) => savedJson(what, item))
  return Object.fromEntries(Object.entries(state).map(([key, item]) => [key, savedJson(what, item)]))
}

/** A record of tensors. Fails with code `'io'`, naming `what`, when it is something else. */
export function savedTensors(what: string, state: StateTree | undefined): Record<string, Tensor<DType>> {
  const entries = Object.entries(savedRecord(what, state)).map(([key, value]): [string, Tensor<DType>] => {
    if (value instanceof Tensor) return [key, value]
    throw new FirnError('io', `${what}: '${key}' of the saved state is no tensor`)
  })
  return Object.fromEntries(entries)
}

/** Fails with code `'graph'` when a state differs from what it is for and may not. @returns the differences */
export function allowed(what: string, differences: readonly string[], strict: boolean): readonly string[] {
  if (!strict || differences.length === 0) return differences
  throw new FirnError('graph', `${what}; nothing was loaded:\n${differences.map((line) => `  ${line}`).join('\n')}`)
}

/** The state with tensors of its own, which survive every scope. */
export function copyState(state: StateTree): StateTree {
  if (state instanceof Tensor) return state.detach().keep()
  if (typeof state !== 'object' || state === null) return state
  if (isList(state)) return state.map(copyState)
  return Object.fromEntries(Object.entries(state).map(([key, item]) => [key, copyState(item)]))
}

// Array.isArray does not narrow readonly arrays.
const isList = (state: StateTree & object): state is readonly StateTree[] => Array.isArray(state)
