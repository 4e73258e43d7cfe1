// The outputs of one iteration, made when they are asked for.
import { inspect } from 'node:util'
import { FirnError } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import { tensorsIn } from '../data/index.ts'

/** What every cache offers beside the outputs themselves. */
export interface CacheAccess {
  /** The output of the node of this name; for names that the type does not know, such as those added in a loop. */
  get<T = unknown>(name: string): T
}

/** The outputs that a node may read: `x.name`, or `x.get('name')`. */
export type GraphOutputCache<Outputs extends object> = Outputs & {
  get<Name extends keyof Outputs>(name: Name): Outputs[Name]
} & CacheAccess

/** Runs the node of this name; throws when there is none. */
export type Produce = (name: string) => unknown

/** The outputs of one iteration: each is produced at most once. */
export class OutputCache {
  readonly #produce: Produce
  readonly #reads: Map<string, Set<string>>
  readonly #values = new Map<string, unknown>()
  readonly #running: string[] = []
  /** What nodes get as `x`: the same outputs as properties. */
  readonly view: CacheAccess

  constructor(produce: Produce, reads: Map<string, Set<string>>) {
    this.#produce = produce
    this.#reads = reads
    this.view = this.#makeView()
  }

  /** The output of a node: kept from before, or produced now. Fails with code `'graph'` when the node waits for itself. */
  get(name: string): unknown {
    const asker = this.#running.at(-1)
    if (asker !== undefined) this.#noteRead(asker, name)
    if (this.#values.has(name)) return this.#values.get(name)
    if (this.#running.includes(name)) {
      const path = [...this.#running.slice(this.#running.indexOf(name)), name].join(' -> ')
      throw new FirnError('graph', `the nodes wait for one another: ${path}; one of them has to do without`)
    }
    const value = this.#produceTracked(name)
    this.#values.set(name, value)
    return value
  }

  /** Every tensor among the outputs made so far. */
  *tensors(): Generator<Tensor<DType>> {
    for (const value of this.#values.values()) yield* tensorsIn(value)
  }

  #produceTracked(name: string): unknown {
    this.#running.push(name)
    try {
      return this.#produce(name)
    } finally {
      this.#running.pop()
    }
  }

  #noteRead(asker: string, name: string): void {
    const names = this.#reads.get(asker)
    if (names === undefined) this.#reads.set(asker, new Set([name]))
    else names.add(name)
  }

  #makeView(): CacheAccess {
    const members: Record<string | symbol, unknown> = {
      get: (name: string) => this.get(name),
      [inspect.custom]: () => Object.fromEntries(this.#values),
    }
    // `then` has to be absent, or a promise of the cache would call it.
    return new Proxy<CacheAccess>(Object.assign(Object.create(null), members), {
      get: (target, key) =>
        typeof key === 'symbol' || key === 'get' ? Reflect.get(target, key) : key === 'then' ? undefined : this.get(key),
    })
  }
}

/** Names that nodes cannot have: `x.get` is the cache's own, and a `then` would make the cache a promise. */
export const reservedNames: readonly string[] = ['get', 'then']
