// From samples to a batch: the same structure, with tensors where values were.
import { FirnError } from '../errors.ts'
import { type DType, stack, Tensor } from '../tensor/index.ts'
import { int64, rowDType, Rows } from './rows.ts'
import { isRecord } from './tensorsIn.ts'

/** What `collate` makes of samples of this type. */
export type Collated<Sample> =
  Sample extends Tensor<infer D>
    ? Tensor<D>
    : Sample extends ArrayBufferView
      ? Tensor<RowDType<Sample>>
      : Sample extends number
        ? Tensor
        : Sample extends bigint
          ? Tensor<'int64'>
          : Sample extends boolean
            ? Tensor<'bool'>
            : Sample extends string
              ? string[]
              : Sample extends object
                ? { [K in keyof Sample]: Collated<Sample[K]> }
                : never

/** The dtype of a typed array's elements. */
export type RowDType<A> = A extends Float32Array
  ? 'float32'
  : A extends Float64Array
    ? 'float64'
    : A extends BigInt64Array
      ? 'int64'
      : A extends Int32Array
        ? 'int32'
        : A extends Int16Array
          ? 'int16'
          : A extends Int8Array
            ? 'int8'
            : A extends Uint8Array | Uint8ClampedArray
              ? 'uint8'
              : DType

/**
 * Makes a batch of samples, with one dimension more in front: tensors are stacked, typed arrays become rows, numbers become a float32
 * tensor, bigints an int64 one, booleans a bool one, strings stay a list; records and lists are followed. Fails with code `'argument'` on
 * other values and on samples that differ in structure, with `'shape'` on tensors and arrays of different sizes (see `padded`).
 *
 * @example
 * const { x, label } = collate([{ x: tensor([1, 2]), label: 3n }, { x: tensor([4, 5]), label: 6n }])
 * x.shape // [2, 2]
 */
export function collate<Sample>(samples: readonly Sample[]): Collated<Sample>
export function collate(samples: readonly unknown[]): unknown {
  return settled(columns(samples, joinEqual))
}

/** Makes one tensor, or the elements of one, of tensors or typed arrays. */
export type Join = (samples: readonly Value[]) => Tensor<DType> | Rows

/** What a tensor is made of by stacking. */
export type Value = Tensor<DType> | ArrayBufferView

/** The batch with `Rows` where typed arrays, numbers, bigints and booleans make a tensor; a worker writes those where they are to be. */
export function columns(samples: readonly unknown[], join: Join): unknown {
  const [first] = samples
  if (samples.every((sample) => sample instanceof Tensor) || samples.every(isRow)) return join(samples)
  if (samples.every((sample) => typeof sample === 'number'))
    return new Rows('float32', [samples.length], () => [Float32Array.from(samples)])
  if (samples.every((sample) => typeof sample === 'boolean'))
    return new Rows('bool', [samples.length], () => [Uint8Array.from(samples, Number)])
  if (samples.every((sample) => typeof sample === 'bigint')) return new Rows('int64', [samples.length], () => [int64(samples)])
  if (samples.every((sample) => typeof sample === 'string')) return samples
  if (samples.every(isStructure)) {
    const keys = Object.keys(samples[0] ?? {})
    const odd = samples.find((sample) => Object.keys(sample).join() !== keys.join())
    if (odd === undefined) {
      const made = keys.map((key) => [key, columnsAt(key, samples, join)] as const)
      return Array.isArray(first) ? made.map(([, column]) => column) : Object.fromEntries(made)
    }
    throw new FirnError('argument', `collate: samples differ, one has ${keysOf(samples[0] ?? {})}, another ${keysOf(odd)}`)
  }
  const kinds = [...new Set(samples.map(kindOf))].join(' and ')
  throw new FirnError(
    'argument',
    `collate: no batch of ${kinds}; give tensors, typed arrays, numbers, strings, records and lists of one kind, or a collate of your own`,
  )
}

function columnsAt(key: string, samples: readonly object[], join: Join): unknown {
  return columns(
    samples.map((sample): unknown => Reflect.get(sample, key)),
    join,
  )
}

/** The batch with tensors in the place of rows. */
export function settled(batch: unknown): unknown {
  if (batch instanceof Rows) return batch.tensor()
  if (Array.isArray(batch)) return batch.map(settled)
  return isRecord(batch) ? Object.fromEntries(Object.entries(batch).map(([key, value]) => [key, settled(value)])) : batch
}

/** Stacks values of one size. Fails with code `'shape'` on others. */
export function joinEqual(samples: readonly Value[]): Tensor<DType> | Rows {
  const [first] = samples
  const odd = samples.find((sample) => shapeOf(sample).join() !== shapeOf(first).join())
  if (odd !== undefined) {
    throw new FirnError(
      'shape',
      `collate: samples of shape [${shapeOf(first).join(', ')}] and [${shapeOf(odd).join(', ')}] make no tensor; bring them to one size in a pipeline, or fill them up with collate: padded()`,
    )
  }
  if (samples.every((sample) => sample instanceof Tensor)) return stack(samples)
  return new Rows(commonDType(samples), [samples.length, ...shapeOf(first)], () => samples.map((sample) => readable(sample)))
}

/** The one dtype of all values. Fails with code `'dtype'` when there are several. */
export function commonDType(samples: readonly Value[]): DType {
  const dtypes = [...new Set(samples.map((sample) => (sample instanceof Tensor ? sample.dtype : rowDType(sample))))]
  const [dtype] = dtypes
  if (dtype !== undefined && dtypes.length === 1) return dtype
  throw new FirnError('dtype', `collate: samples of ${dtypes.map(String).join(' and ')} make no tensor; give all of them one dtype`)
}

/** The sizes of a value. */
export const shapeOf = (value: Value | undefined): readonly number[] => {
  if (value instanceof Tensor) return value.shape
  return value === undefined || !('length' in value) || typeof value.length !== 'number' ? [] : [value.length]
}

/** The elements of a value. */
export const readable = (value: Value): ArrayBufferView => (value instanceof Tensor ? value.dataSync() : value)

const isRow = (sample: unknown): sample is ArrayBufferView => rowDType(sample) !== undefined

const isStructure = (value: unknown): value is object => Array.isArray(value) || isRecord(value)

const keysOf = (sample: object): string =>
  Array.isArray(sample) ? `a list of ${sample.length}` : `the keys ${Object.keys(sample).join(', ') || '(none)'}`

const kindOf = (value: unknown): string => {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value
  return value.constructor.name
}
