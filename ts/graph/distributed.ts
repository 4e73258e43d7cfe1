// How a module is to be trained by several processes: options that are kept and checked, and told of while there is only one.
import { FirnError } from '../errors.ts'

/** Training by several processes, with the names and defaults of PyTorch's DistributedDataParallel. One process has no use for them. */
export interface DistributedOptions {
  /** Batch norms take their statistics over the batches of all processes. @default false */
  readonly syncBatchNorm?: boolean
  /** Looks in each iteration for parameters that the loss does not use, and does not wait for their gradients. @default false */
  readonly findUnusedParameters?: boolean
  /** Promises that every iteration uses the same parameters in the same order. @default false */
  readonly staticGraph?: boolean
  /** Buffers, such as running statistics, are those of the first process in all of them before each forward. @default true */
  readonly broadcastBuffers?: boolean
  /** Gradients are sent in buckets of this size, in MiB. @default 25 */
  readonly bucketCapMb?: number
  /** Gradients are views of their buckets, which saves a copy of them. @default false */
  readonly gradientAsBucketView?: boolean
}

const defaults: Required<DistributedOptions> = Object.freeze({
  syncBatchNorm: false,
  findUnusedParameters: false,
  staticGraph: false,
  broadcastBuffers: true,
  bucketCapMb: 25,
  gradientAsBucketView: false,
})

/** The names of the options. */
export const distributedNames: readonly string[] = Object.keys(defaults)

/** The options, complete. Fails with code `'argument'` on a value out of range. */
export function readDistributed(what: string, given: DistributedOptions): Required<DistributedOptions> {
  const own = Object.entries(given).filter(([name, value]) => distributedNames.includes(name) && value !== undefined)
  for (const [name, value] of own) {
    const isSize = name === 'bucketCapMb'
    if (isSize ? typeof value === 'number' && value > 0 && value < Infinity : typeof value === 'boolean') continue
    throw new FirnError('argument', `${what}: ${name} must be ${isSize ? 'a number > 0' : 'true or false'}, got ${String(value)}`)
  }
  return Object.freeze({ ...defaults, ...Object.fromEntries(own) })
}

/** Those that differ from the defaults, in words: what waits for training over several processes. */
export function waitingOptions(options: Required<DistributedOptions>): string | null {
  const usual = new Map<string, unknown>(Object.entries(defaults))
  const changed = Object.entries(options).filter(([name, value]) => value !== usual.get(name))
  return changed.length === 0 ? null : changed.map(([name, value]) => `${name}: ${value}`).join(', ')
}
