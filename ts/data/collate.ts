// From samples to a batch: the same structure, with tensors where values were.
import { FirnError } from '../errors.ts'
import { stack, Tensor, tensor } from '../tensor/index.ts'

/** What `collate` makes of samples of this type. */
export type Collated<Sample> =
  Sample extends Tensor<infer D>
    ? Tensor<D>
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

/**
 * Makes a batch of samples, with one dimension more in front: tensors are stacked, numbers become a float32 tensor, bigints an int64 one,
 * booleans a bool one, strings stay a list; records and lists are followed. Fails with code `'argument'` on other values and on samples
 * that differ in structure.
 *
 * @example
 * const { x, label } = collate([{ x: tensor([1, 2]), label: 3n }, { x: tensor([4, 5]), label: 6n }])
 * x.shape // [2, 2]
 */
export function collate<Sample>(samples: readonly Sample[]): Collated<Sample>
export function collate(samples: readonly unknown[]): unknown {
  const [first] = samples
  if (samples.every((sample) => sample instanceof Tensor)) return stack(samples)
  if (samples.every((sample) => typeof sample === 'number')) return tensor(samples)
  if (samples.every((sample) => typeof sample === 'boolean')) return tensor(samples)
  if (samples.every((sample) => typeof sample === 'bigint')) return tensor(BigInt64Array.from(samples))
  if (samples.every((sample) => typeof sample === 'string')) return samples
  if (samples.every(isStructure)) {
    const keys = Object.keys(samples[0] ?? {})
    const odd = samples.find((sample) => Object.keys(sample).join() !== keys.join())
    if (odd === undefined) {
      const columns = keys.map((key) => [key, collate(samples.map((sample): unknown => Reflect.get(sample, key)))] as const)
      return Array.isArray(first) ? columns.map(([, column]) => column) : Object.fromEntries(columns)
    }
    throw new FirnError('argument', `collate: samples differ, one has ${keys.join(', ')}, another ${Object.keys(odd).join(', ')}`)
  }
  const kinds = [...new Set(samples.map(kindOf))].join(' and ')
  throw new FirnError(
    'argument',
    `collate: no batch of ${kinds}; give tensors, numbers, strings, records and lists of one kind, or a collate of your own`,
  )
}

const isStructure = (value: unknown): value is object =>
  Array.isArray(value) || (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)

const kindOf = (value: unknown): string => (typeof value === 'object' && value !== null ? value.constructor.name : typeof value)
