// A dataset as a node: one batch an iteration, from a place that checkpoints keep.
import { type Course, DataLoader, type Dataset, type DefaultBatch, type LoaderOptions, type Untouched } from '../data/index.ts'
import { FirnError } from '../errors.ts'
import type { Json, StateTree } from '../io/index.ts'
import type { CacheAccess } from './cache.ts'
import type { RunInfo } from './context.ts'
import { Node } from './node.ts'
import { savedCount, savedJson, savedRecord } from './savedState.ts'

/**
 * Hands out a batch of a dataset in every iteration. In epoch mode an epoch is one pass over the data, or `iterationsPerEpoch` batches; in
 * step mode the passes follow one another for ever. Orders depend on `seed`, or the run's, and on the number of the pass.
 *
 * @example
 * graph.add('mnist', new DatasetNode({ dataset: mnist({ split: 'train' }), batchSize: 100, shuffle: true }), { tags: 'train' })
 */
export class DatasetNode<D extends Dataset, Out = Untouched, Batch = DefaultBatch<D, Out>> extends Node<CacheAccess, Batch> {
  readonly #options: LoaderOptions<D, Out, Batch>
  #loader: DataLoader<D, Out, Batch>
  #course: Course
  #samples = 0
  /** The run that the loader is made for. */
  #info: RunInfo | null = null

  constructor(options: LoaderOptions<D, Out, Batch>) {
    super({})
    this.#options = options
    this.#loader = new DataLoader(options)
    this.#course = this.#loader.course()
  }

  /** Batches in an epoch; undefined for an iterable without `iterationsPerEpoch`. */
  override get length(): number | undefined {
    const { length } = this.#loader
    return length === Infinity ? undefined : length
  }

  override get samples(): number {
    return this.#samples
  }

  override prepare(): void | Promise<void> {
    const { info } = this.graph.context
    if (this.#info === info) return super.prepare()
    this.#info = info
    void this.#loader.close()
    this.#loader = new DataLoader({ seed: info.seed, ...this.#options }, info.launcher)
    const { place } = this.#course
    this.#course = this.#loader.course()
    this.#course.place = place
    return super.prepare()
  }

  /** Goes on to the next pass, unless the one at hand is untouched, or `iterationsPerEpoch` is given. */
  override epochStart(): void | Promise<void> {
    this.#course.beginEpoch()
    this.#samples = 0
    return super.epochStart()
  }

  override ready(): Promise<void> | undefined {
    return this.#loader.ready(this.#course)
  }

  override forwardImpl(): Batch {
    const place = this.#course.next
    const batch = this.#loader.take(place)
    this.#course.take()
    this.#samples += this.#loader.sizeAt(place.epoch, place.position)
    return this.move(batch)
  }

  /** Ends the workers. */
  override async cleanUp(): Promise<void> {
    await this.#loader.close()
    await super.cleanUp()
  }

  override epochState(): Readonly<Record<string, Json>> {
    return { ...this.#course.place, samples: this.#samples }
  }

  override loadEpochState(state: Json): void {
    const what = this.constructor.name
    const saved = savedRecord(what, state)
    this.#course.place = { epoch: savedCount(what, saved, 'epoch'), position: savedCount(what, saved, 'position') }
    this.#samples = savedCount(what, saved, 'samples')
  }

  override stateDict(): StateTree {
    return { ...this.epochState(), length: this.#passLength }
  }

  override loadStateDict(state: StateTree, strict: boolean): readonly string[] {
    const what = this.constructor.name
    const saved = savedRecord(what, state)
    const length = savedCount(what, saved, 'length')
    const passLength = this.#passLength
    const fits = length === passLength
    this.loadEpochState(savedJson(what, fits ? saved : { ...saved, position: 0 }))
    if (fits) return []
    const message = `${length} batches in a pass over the data when saved, ${passLength} now; the place in the data means nothing here`
    if (strict) throw new FirnError('graph', message)
    return [message]
  }

  /** Batches in a pass; 0 where only its end tells. */
  get #passLength(): number {
    const { passLength } = this.#loader
    return passLength === Infinity ? 0 : passLength
  }
}
