// Tensors held until their numbers are read, many at once.
import { cat, type DType, stack, type Tensor, tensorScope } from '../tensor/index.ts'

/** A tensor that outlives its iteration, with what is known of it, so that nobody has to ask the core again. */
export interface Held {
  readonly tensor: Tensor<DType>
  readonly dtype: DType
  readonly size: number
  readonly rank: number
}

/** Holds the value of a tensor as it is now. */
export function hold(tensor: Tensor<DType>): Held {
  const { dtype, size, rank } = tensor
  return { tensor: tensor.detach().keep(), dtype, size, rank }
}

/** All elements in one tensor, which is the caller's; halves as float32, since a typed array has only their bits. Frees what was held. */
export function join(held: readonly Held[]): Tensor<DType> {
  using scope = tensorScope()
  const tensors = held.map(({ tensor }) => tensor)
  const joined = held.every(({ rank }) => rank === 0) ? stack(tensors) : cat(held.map(({ tensor, size }) => tensor.reshape([size])))
  const readable = joined.dtype === 'bfloat16' || joined.dtype === 'float16' ? joined.float() : joined
  for (const tensor of tensors) tensor.dispose()
  return scope.keep(readable)
}
