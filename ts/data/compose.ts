// Datasets made of others: arrays, parts, joins, and functions over samples.
import { FirnError } from '../errors.ts'
import type { Dataset } from './dataset.ts'
import { type Origin, originOf, type PortableDataset, remake, shared } from './origin.ts'
import { Context, described, Pipeline, type SampleContext, type Stage } from './pipeline.ts'
import { shuffled } from './sampler.ts'

/** The items of an array as samples. @example fromArray(['a', 'b']).get(1) // 'b' */
export function fromArray<Sample>(items: readonly Sample[]): PortableDataset<Sample> {
  return new ArrayDataset(items)
}

/** @internal */
export class ArrayDataset<Sample> implements PortableDataset<Sample> {
  readonly items: readonly Sample[]

  constructor(items: readonly Sample[]) {
    this.items = items
  }

  get length(): number {
    return this.items.length
  }

  get(index: number): Sample
  get(index: number): unknown {
    checkIndex('fromArray', index, this.length)
    return this.items[index]
  }

  origin(): Origin {
    return { module: import.meta.url, name: 'fromArray', args: this.items }
  }
}

/**
 * The samples at these indices, under new ones from 0.
 *
 * @example
 * subset(fromArray(['a', 'b', 'c']), [2, 0]).get(0) // 'c'
 */
export function subset<Sample>(dataset: Dataset<Sample>, indices: readonly number[]): PortableDataset<Sample> {
  return new Subset(dataset, indices)
}

/** @internal */
export class Subset<Sample> implements PortableDataset<Sample> {
  readonly dataset: Dataset<Sample>
  readonly indices: readonly number[]

  constructor(dataset: Dataset<Sample>, indices: readonly number[]) {
    for (const index of indices) checkIndex('subset', index, dataset.length)
    this.dataset = dataset
    this.indices = indices
  }

  get length(): number {
    return this.indices.length
  }

  get(index: number, context?: SampleContext): Sample {
    checkIndex('subset', index, this.length)
    return this.dataset.get(this.indices[index] ?? 0, context)
  }

  origin(): Origin {
    const indices = shared(Float64Array.from(this.indices))
    return { module: import.meta.url, name: 'remakeSubset', args: { dataset: originOf('subset', this.dataset), indices } }
  }
}

/** For workers. @internal */
export async function remakeSubset({ dataset, indices }: { readonly dataset: Origin; readonly indices: Float64Array }): Promise<Dataset> {
  return subset(await remake(dataset), Array.from(indices))
}

/** The samples of several datasets after each other. @example concat([fromArray([1, 2]), fromArray([3])]).get(2) // 3 */
export function concat<Sample>(datasets: readonly Dataset<Sample>[]): PortableDataset<Sample> {
  return new Concat(datasets)
}

/** @internal */
export class Concat<Sample> implements PortableDataset<Sample> {
  readonly datasets: readonly Dataset<Sample>[]
  readonly length: number

  constructor(datasets: readonly Dataset<Sample>[]) {
    this.datasets = datasets
    this.length = datasets.reduce((sum, { length }) => sum + length, 0)
  }

  get(index: number, context?: SampleContext): Sample {
    checkIndex('concat', index, this.length)
    let from = 0
    for (const dataset of this.datasets) {
      if (index < from + dataset.length) return dataset.get(index - from, context)
      from += dataset.length
    }
    throw new FirnError('argument', 'concat: a dataset has become shorter')
  }

  origin(): Origin {
    return { module: import.meta.url, name: 'remakeConcat', args: this.datasets.map((dataset) => originOf('concat', dataset)) }
  }
}

/** For workers. @internal */
export async function remakeConcat(datasets: readonly Origin[]): Promise<Dataset> {
  return concat(await Promise.all(datasets.map(remake)))
}

/**
 * Parts with so many samples each, drawn at random but the same for a seed. Numbers below 1 are shares of the whole; the last part takes
 * what rounding leaves. Fails with code `'argument'` when the parts do not add up to the whole.
 *
 * @example
 * const [training, held] = randomSplit(fromArray([1, 2, 3, 4, 5]), [0.8, 0.2], { seed: 1 })
 * training.length // 4
 */
export function randomSplit<Sample, const Parts extends readonly number[]>(
  dataset: Dataset<Sample>,
  parts: Parts,
  options: { readonly seed?: number } = {},
): { [K in keyof Parts]: Dataset<Sample> } {
  const order = shuffled(dataset.length)
  const pass = { seed: options.seed ?? 0, epoch: 0 }
  const indices = Array.from({ length: dataset.length }, (_, position) => order.index(position, pass))
  let from = 0
  return mapParts(sizesOf(parts, dataset.length), (size) => subset(dataset, indices.slice(from, (from += size))))
}

// The overload states that there is a result for each part.
function mapParts<Parts extends readonly number[], T>(sizes: readonly number[], make: (size: number) => T): { [K in keyof Parts]: T }
function mapParts(sizes: readonly number[], make: (size: number) => unknown): unknown {
  return sizes.map(make)
}

function sizesOf(parts: readonly number[], length: number): readonly number[] {
  const sum = parts.reduce((total, part) => total + part, 0)
  const shares = parts.every((part) => part >= 0 && part <= 1) && Math.abs(sum - 1) < 1e-9
  const sizes = shares ? parts.map((part) => Math.floor(part * length + 1e-9)) : [...parts]
  if (shares) sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + length - sizes.reduce((total, size) => total + size, 0)
  if (sizes.every((size) => Number.isSafeInteger(size) && size >= 0) && sizes.reduce((total, size) => total + size, 0) === length)
    return sizes
  throw new FirnError(
    'argument',
    `randomSplit: parts ${parts.join(', ')} of ${length} samples, expected numbers that add up to it, or shares to 1`,
  )
}

/**
 * A dataset whose samples go through functions, typed from one to the next; or through a `pipeline`. They run whenever a sample is asked
 * for. In a loader they are the first stages of its pipeline.
 *
 * @example
 * const words = mapped(fromArray(['to', 'be']), (word) => word.length, (n, { random }) => n + random.uniform())
 * words.get(0) >= 2 // true
 */
export function mapped<S, A>(dataset: Dataset<S>, a: Stage<S, A> | Pipeline<S, A>): Dataset<A>
export function mapped<S, A, B>(dataset: Dataset<S>, a: Stage<S, A>, b: Stage<A, B>): Dataset<B>
export function mapped<S, A, B, C>(dataset: Dataset<S>, a: Stage<S, A>, b: Stage<A, B>, c: Stage<B, C>): Dataset<C>
export function mapped<S, A, B, C, D>(dataset: Dataset<S>, a: Stage<S, A>, b: Stage<A, B>, c: Stage<B, C>, d: Stage<C, D>): Dataset<D>
export function mapped<S, A, B, C, D, E>(
  dataset: Dataset<S>,
  a: Stage<S, A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
  d: Stage<C, D>,
  e: Stage<D, E>,
): Dataset<E>
export function mapped(dataset: Dataset, ...stages: readonly unknown[]): Dataset {
  const [first] = stages
  return new Mapped(dataset, (first instanceof Pipeline ? first : new Pipeline(stages)).stages)
}

/** A record with another value under a name. */
export type Replaced<S, Key extends keyof S, Value> = { [K in keyof S]: K extends Key ? Value : S[K] }

/**
 * A dataset of records of which one entry goes through functions; the other entries stay.
 *
 * @example
 * const data = mappedEntry(fromArray([{ n: 1, label: 'a' }]), 'n', (n) => n + 1, (n) => n * 10)
 * data.get(0) // { n: 20, label: 'a' }
 */
export function mappedEntry<S, K extends keyof S, A>(dataset: Dataset<S>, key: K, a: Stage<S[K], A>): Dataset<Replaced<S, K, A>>
export function mappedEntry<S, K extends keyof S, A, B>(
  dataset: Dataset<S>,
  key: K,
  a: Stage<S[K], A>,
  b: Stage<A, B>,
): Dataset<Replaced<S, K, B>>
export function mappedEntry<S, K extends keyof S, A, B, C>(
  dataset: Dataset<S>,
  key: K,
  a: Stage<S[K], A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
): Dataset<Replaced<S, K, C>>
export function mappedEntry<S, K extends keyof S, A, B, C, D>(
  dataset: Dataset<S>,
  key: K,
  a: Stage<S[K], A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
  d: Stage<C, D>,
): Dataset<Replaced<S, K, D>>
export function mappedEntry<S, K extends keyof S, A, B, C, D, E>(
  dataset: Dataset<S>,
  key: K,
  a: Stage<S[K], A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
  d: Stage<C, D>,
  e: Stage<D, E>,
): Dataset<Replaced<S, K, E>>
export function mappedEntry(dataset: Dataset<object>, key: PropertyKey, ...stages: readonly unknown[]): Dataset {
  return new Mapped(
    dataset,
    new Pipeline(stages).stages.map((stage) => entryStage(key, stage)),
  )
}

function entryStage(key: PropertyKey, stage: Stage<unknown, unknown>): Stage<unknown, unknown> {
  const onEntry: Stage<unknown, unknown> = (record, context) =>
    typeof record === 'object' && record !== null ? { ...record, [key]: stage(Reflect.get(record, key), context) } : record
  return described(String(key), String(stage), onEntry)
}

class Mapped implements Dataset {
  readonly dataset: Dataset
  readonly stages: readonly Stage<unknown, unknown>[]

  constructor(dataset: Dataset, stages: readonly Stage<unknown, unknown>[]) {
    this.dataset = dataset
    this.stages = stages
  }

  get length(): number {
    return this.dataset.length
  }

  get(index: number, context: SampleContext = new Context(index, { seed: 0, epoch: 0 })): unknown {
    return this.stages.reduce((sample, stage) => stage(sample, context), this.dataset.get(index, context))
  }
}

/** The dataset below `mapped`, and the functions that its samples go through. */
export function unmapped(dataset: Dataset): { readonly dataset: Dataset; readonly stages: readonly Stage<unknown, unknown>[] } {
  if (!(dataset instanceof Mapped)) return { dataset, stages: [] }
  const inner = unmapped(dataset.dataset)
  return { dataset: inner.dataset, stages: [...inner.stages, ...dataset.stages] }
}

/** Fails with code `'argument'`, naming `what`, for an index outside of the dataset. */
export function checkIndex(what: string, index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return
  throw new FirnError('argument', `${what}: no sample ${index}; there are ${length}, counted from 0`)
}
