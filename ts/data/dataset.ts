// Where samples come from: anything with a length and a `get`, and arrays that serve a whole batch at once.
import { FirnError } from '../errors.ts'
import type { Tensor } from '../tensor/index.ts'
import { type Origin, type PortableDataset, shared } from './origin.ts'
import type { SampleContext } from './pipeline.ts'
import { fromElements, sizeOf } from './rows.ts'

/** Samples by index. */
export interface Dataset<Sample = unknown> {
  readonly length: number
  /** The sample at `index`, from 0. A loader gives a context, for datasets whose samples are random. */
  get(index: number, context?: SampleContext): Sample
}

/** A dataset that makes a whole batch quicker than sample by sample. */
export interface BatchedDataset<Sample = unknown, Batch = unknown> extends Dataset<Sample> {
  /** The samples at these indices as one batch. */
  batch(indices: readonly number[]): Batch
}

/** The typed arrays that hold the elements of a dtype. */
export interface FieldArrays {
  uint8: Uint8Array
  int8: Int8Array
  int16: Int16Array
  int32: Int32Array
  int64: BigInt64Array
  float32: Float32Array
  float64: Float64Array
}

/** The values of all samples in a row, and the shape of one sample. */
export type Field =
  | { [D in keyof FieldArrays]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: FieldArrays[D] } }[keyof FieldArrays]
  /** Bytes that become floats when they are asked for, each times `scale`: a quarter of the memory. */
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Uint8Array; readonly scale: number }

type Fields = Readonly<Record<string, Field>>

/** A tensor for each field. */
// `& {}` makes editors show the fields and not the name of this type.
export type FieldTensors<F extends Fields> = { readonly [Name in keyof F]: Tensor<F[Name]['dtype']> } & {}

/**
 * Samples in typed arrays, a field each. A sample is a record of tensors of the fields' shapes; a batch has one dimension more, in front.
 * Fails with code `'shape'` when an array does not hold whole samples, or two hold different numbers of them.
 *
 * @example
 * const data = new TensorDataset({
 *   point: { dtype: 'float32', shape: [2], data: new Float32Array([0, 0, 0, 1, 1, 0, 1, 1]) },
 *   label: { dtype: 'int64', shape: [], data: new BigInt64Array([0n, 1n, 1n, 0n]) },
 * })
 * data.batch([0, 3]).point.shape // [2, 2]
 */
export class TensorDataset<const F extends Fields>
  implements BatchedDataset<FieldTensors<F>, FieldTensors<F>>, PortableDataset<FieldTensors<F>>
{
  readonly length: number
  readonly fields: F

  constructor(fields: F) {
    const counts = Object.entries(fields).map(([name, { shape, data }]) => ({ name, shape, count: data.length / sizeOf(shape) }))
    const length = counts[0]?.count
    if (length === undefined || counts.some(({ count }) => count !== length || !Number.isInteger(count))) {
      const given = counts.map(({ name, shape, count }) => `${name} ${count} of [${shape.join(', ')}]`).join(', ')
      throw new FirnError('shape', `TensorDataset: expected the same whole number of samples in every field, got ${given || 'no field'}`)
    }
    this.length = length
    this.fields = fields
  }

  get(index: number): FieldTensors<F>
  get(index: number): unknown {
    return this.#gather([index], [])
  }

  batch(indices: readonly number[]): FieldTensors<F>
  batch(indices: readonly number[]): unknown {
    return this.#gather(indices, [indices.length])
  }

  /** Workers share one copy of the arrays. */
  origin(): Origin {
    const fields = Object.entries(this.fields).map(([name, field]) => [name, { ...field, data: shared(field.data) }] as const)
    return { module: import.meta.url, name: 'remakeTensors', args: Object.fromEntries(fields) }
  }

  #gather(indices: readonly number[], leading: readonly number[]): Record<string, unknown> {
    const wrong = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < this.length))
    if (wrong !== undefined) throw new FirnError('argument', `TensorDataset: no sample ${wrong}; there are ${this.length}, counted from 0`)
    const tensors = Object.entries(this.fields).map(([name, field]) => [
      name,
      fromElements(field.dtype, [...leading, ...field.shape], rowsOf(field, indices)),
    ])
    return Object.fromEntries(tensors)
  }
}

/** For workers. @internal */
export const remakeTensors = (fields: Fields): Dataset => new TensorDataset(fields)

function rowsOf(field: Field, indices: readonly number[]): ArrayBuffer {
  const size = sizeOf(field.shape)
  if ('scale' in field) return scaledRows(field.data, field.scale, size, indices)
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT } = field.data
  const from = new Uint8Array(buffer, byteOffset, byteLength)
  const bytes = size * BYTES_PER_ELEMENT
  const rows = new Uint8Array(indices.length * bytes)
  indices.forEach((index, row) => rows.set(from.subarray(index * bytes, (index + 1) * bytes), row * bytes))
  return rows.buffer
}

function scaledRows(bytes: Uint8Array, scale: number, size: number, indices: readonly number[]): ArrayBuffer {
  const floats = Float32Array.from({ length: 256 }, (_, byte) => byte * scale)
  const rows = new Float32Array(indices.length * size)
  indices.forEach((index, row) => {
    const from = index * size
    const to = row * size
    for (let i = 0; i < size; i++) rows[to + i] = floats[bytes[from + i] ?? 0] ?? 0
  })
  return rows.buffer
}
