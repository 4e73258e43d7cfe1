// Finding the tensors in plain data.
import { type DType, Tensor } from '../tensor/index.ts'

/** Every tensor in the data; lists and records are followed, other objects are not. */
export function* tensorsIn(data: unknown): Generator<Tensor<DType>> {
  if (data instanceof Tensor) yield data
  else if (Array.isArray(data)) for (const item of data) yield* tensorsIn(item)
  else if (isRecord(data)) for (const item of Object.values(data)) yield* tensorsIn(item)
}

/** True for an object literal. */
export function isRecord(data: unknown): data is object {
  if (typeof data !== 'object' || data === null) return false
  const prototype: unknown = Object.getPrototypeOf(data)
  return prototype === Object.prototype || prototype === null
}
