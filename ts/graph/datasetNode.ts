// A dataset as a node: one batch an iteration, from a place that checkpoints keep.
import { FirnError } from '../errors.ts'
import { type BatchOf, DataLoader, type Dataset, type LoaderOptions } from '../data/index.ts'
import type { StateTree } from '../io/index.ts'
import type { CacheAccess } from './cache.ts'
import { Node } from './node.ts'
import { refuseOptions } from './refuse.ts'
import { savedNumber, savedRecord } from './savedState.ts'

const later = ['workers', 'prefetch', 'pipeline', 'cache', 'iterationsPerEpoch', 'batchSizeInTotal'] as const

/**
 * Hands out a batch of a dataset in every iteration. In epoch mode an epoch is one pass over the data; in step mode the passes follow one
 * another for ever. Orders depend on `seed`, or the run's, and on the number of the pass.
 *
 * @example
 * graph.add('mnist', new DatasetNode({ dataset: mnist({ split: 'train' }), batchSize: 100, shuffle: true }), { tags: 'train' })
 */
export class DatasetNode<D extends Dataset, Batch = BatchOf<D>> extends Node<CacheAccess, Batch> {
  readonly #options: LoaderOptions<D, Batch>
  #loader: DataLoader<D, Batch>
  #epoch = 0
  #position = 0
  #samples = 0

  constructor(options: LoaderOptions<D, Batch>) {
    refuseOptions('DatasetNode', options, later, 'loading in workers, pipelines and caches are not there yet')
    super({})
    this.#options = options
    this.#loader = new DataLoader(options)
  }

  /** Batches in one pass over the data. */
  override get length(): number {
    return this.#loader.length
  }

  override get samples(): number {
    return this.#samples
  }

  override prepare(): void | Promise<void> {
    if (this.#options.seed === undefined) this.#loader = new DataLoader({ ...this.#options, seed: this.graph.context.info.seed })
    return super.prepare()
  }

  /** Goes on to the next pass, unless the one at hand is untouched. */
  override epochStart(): void | Promise<void> {
    if (this.#position > 0) this.#nextPass()
    this.#samples = 0
    return super.epochStart()
  }

  override forwardImpl(): Batch {
    if (this.#position === this.length) this.#nextPass()
    const batch = this.#loader.at(this.#epoch, this.#position)
    this.#samples += this.#loader.sizeAt(this.#position)
    this.#position += 1
    return this.move(batch)
  }

  override stateDict(): StateTree {
    return { epoch: this.#epoch, position: this.#position, samples: this.#samples, length: this.length }
  }

  override loadStateDict(state: StateTree, strict: boolean): readonly string[] {
    const what = this.constructor.name
    const saved = savedRecord(what, state)
    const length = savedNumber(what, saved, 'length')
    this.#epoch = savedNumber(what, saved, 'epoch')
    this.#position = savedNumber(what, saved, 'position')
    this.#samples = savedNumber(what, saved, 'samples')
    if (length === this.length) return []
    const message = `${length} batches in an epoch when saved, ${this.length} now; the place in the data means nothing here`
    if (strict) throw new FirnError('graph', message)
    this.#position = 0
    return [message]
  }

  #nextPass(): void {
    this.#epoch += 1
    this.#position = 0
  }
}
