// Batches of samples of different sizes: filled up to the largest.
import { checkOptions } from '../errors.ts'
import { bytesOf, type DType, stack, Tensor, typedArray } from '../tensor/index.ts'
import { type Collated, columns, commonDType, readable, settled, shapeOf, type Value } from './collate.ts'
import { Rows, sizeOf } from './rows.ts'

/** Options of `padded`. */
export interface PaddedOptions {
  /** What fills shorter samples up. @default 0 */
  readonly value?: number
}

/**
 * A `collate` for samples of different sizes: tensors and typed arrays are filled up at the end of each dimension to the largest one of the
 * batch. Where the lengths matter, put them into the sample.
 *
 * @example
 * const { ids } = padded({ value: -1 })([{ ids: Int32Array.of(5, 6) }, { ids: Int32Array.of(7) }])
 * ids // [[5, 6], [7, -1]]
 */
export function padded(options: PaddedOptions = {}): <Sample>(samples: readonly Sample[]) => Collated<Sample> {
  checkOptions('padded', options, ['value'])
  const { value = 0 } = options
  const fill = <Sample>(samples: readonly Sample[]): Collated<Sample> => collatePadded(samples, value)
  fillers.set(fill, value)
  return fill
}

const fillers = new WeakMap<object, number>()

/** What a `collate` made by `padded` fills with; undefined for any other. */
export const fillerOf = (collate: object): number | undefined => fillers.get(collate)

function collatePadded<Sample>(samples: readonly Sample[], value: number): Collated<Sample>
function collatePadded(samples: readonly unknown[], value: number): unknown {
  return settled(columns(samples, (values) => joinPadded(values, value)))
}

/** Stacks values, each filled up to the largest in every dimension. */
export function joinPadded(samples: readonly Value[], value: number): Tensor<DType> | Rows {
  const rank = Math.max(...samples.map((sample) => shapeOf(sample).length))
  const shape = Array.from({ length: rank }, (_, dim) => Math.max(...samples.map((sample) => shapeOf(sample)[dim] ?? 1)))
  if (samples.every((sample) => sample instanceof Tensor)) return stack(samples.map((sample) => fillUp(sample, shape, value)))
  const dtype = commonDType(samples)
  return new Rows(dtype, [samples.length, ...shape], () => samples.map((sample) => filledRow(sample, dtype, sizeOf(shape), value)))
}

// `pad` takes its sizes from the last dimension on, two for each.
function fillUp(sample: Tensor<DType>, shape: readonly number[], value: number): Tensor<DType> {
  const missing = shape.map((size, dim) => size - (sample.shape[dim] ?? 1)).toReversed()
  return missing.every((size) => size === 0)
    ? sample
    : sample.pad(
        missing.flatMap((size) => [0, size]),
        { value },
      )
}

function filledRow(sample: Value, dtype: DType, size: number, value: number): ArrayBufferView {
  const row = typedArray(dtype, new ArrayBuffer(size * bytesOf(dtype)))
  if (row instanceof BigInt64Array) row.fill(BigInt(value))
  else row.fill(value)
  const { buffer, byteOffset, byteLength } = readable(sample)
  new Uint8Array(row.buffer).set(new Uint8Array(buffer, byteOffset, byteLength))
  return row
}
