// Splits a nested state into tensors for a safetensors file and JSON for the rest, and joins the two again.
import { FirnError } from '../errors.ts'
import { type DType, Tensor } from '../tensor/index.ts'
import type { NamedTensors } from './safetensorsLayout.ts'

/** JSON as TypeScript sees it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** What a checkpoint holds: JSON with tensors at any depth; numbers may be infinite or NaN. */
export type StateTree = Tensor<DType> | null | boolean | number | string | readonly StateTree[] | { readonly [key: string]: StateTree }

/**
 * Takes the tensors out of a state, each under its path (`net/module/conv1.weight`); `json` keeps a reference in their places.
 *
 * @example
 * const { tensors, json } = splitState({ net: { w: tensor([1]) }, best: Infinity })
 */
export function splitState(state: StateTree): { tensors: NamedTensors; json: Json } {
  const tensors = new Map<string, Tensor<DType>>()
  const strip = (value: StateTree, path: string): Json => {
    if (value instanceof Tensor) {
      if (tensors.has(path)) throw new FirnError('argument', `splitState: two tensors share the path '${path}'; rename one of the keys`)
      tensors.set(path, value)
      return { $tensor: path }
    }
    if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: formatNumber(value) }
    if (typeof value !== 'object' || value === null) return value
    const below = (key: string | number): string => (path === '' ? String(key) : `${path}/${key}`)
    if (isList(value)) return value.map((item, i) => strip(item, below(i)))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        if (key.startsWith('$')) throw new FirnError('argument', `splitState: key '${below(key)}' may not start with '$'`)
        return [key, strip(item, below(key))]
      }),
    )
  }
  const json = strip(state, '')
  return { tensors: Object.fromEntries(tensors), json }
}

/**
 * Puts the tensors back into the JSON that `splitState` made. Fails with code `'io'` when one is missing.
 *
 * @example
 * const { tensors, json } = splitState({ w: tensor([1]), best: 2 })
 * joinState(json, tensors) // { w: [1], best: 2 }
 */
export function joinState(json: Json, tensors: NamedTensors): StateTree {
  return join(json, new Map(Object.entries(tensors)), 0)
}

// No state is so deep; a hostile file may be.
const deepest = 200

function join(json: Json, tensors: ReadonlyMap<string, Tensor<DType>>, depth: number): StateTree {
  if (typeof json !== 'object' || json === null) return json
  if (depth > deepest) throw new FirnError('io', `joinState: the state is more than ${deepest} levels deep`)
  if (isList(json)) return json.map((item) => join(item, tensors, depth + 1))
  if (typeof json['$number'] === 'string') return Number(json['$number'])
  const path = json['$tensor']
  if (typeof path !== 'string') return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, join(item, tensors, depth + 1)]))
  const tensor = tensors.get(path)
  if (tensor === undefined) throw new FirnError('io', `joinState: tensor '${path}' is named by the state but missing from the file`)
  return tensor
}

// JSON has no word for these numbers, and drops the sign of zero.
const formatNumber = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

// Array.isArray does not narrow readonly arrays.
const isList = <T>(value: readonly T[] | object): value is readonly T[] => Array.isArray(value)
