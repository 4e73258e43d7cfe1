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

/** Makes the outputs of a cache. */
export interface Producer {
  /** Runs the node of this name; throws when there is none. */
  produce(name: string): unknown
  /** The error for an output that is asked for when no iteration makes it. */
  absent(name: string): Error
}

/** The outputs of one iteration: each is produced at most once, and none when the iteration is over. */
export class OutputCache {
  readonly #producer: Producer
  readonly #reads: Map<string, Set<string>>
  readonly #values = new Map<string, unknown>()
  readonly #running: string[] = []
  #open = false
  /** What nodes get as `x`: the same outputs as properties. */
  readonly view: CacheAccess

  constructor(producer: Producer, reads: Map<string, Set<string>>) {
    this.#producer = producer
    this.#reads = reads
    this.view = viewOf(this, this.#values)
  }

  /** Makes outputs on demand from now on, until `close`. */
  open(): this {
    this.#open = true
    return this
  }

  close(): void {
    this.#open = false
  }

  /** The output of a node: kept from before, or produced now. Fails with code `'graph'` when the node waits for itself. */
  get(name: string): unknown {
    const asker = this.running
    const kept = this.#values.get(name)
    const value = kept === undefined && !this.#values.has(name) ? this.#produce(name) : kept
    if (asker !== undefined) this.#reads.get(asker)?.add(name)
    return value
  }

  /** The node whose forward is at work; undefined when none is. */
  get running(): string | undefined {
    return this.#running.at(-1)
  }

  /** Whether the output has been made. */
  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** Every tensor among the outputs made so far. */
  *tensors(): Generator<Tensor<DType>> {
    for (const value of this.#values.values()) yield* tensorsIn(value)
  }

  #produce(name: string): unknown {
    if (!this.#open) throw this.#producer.absent(name)
    if (this.#running.includes(name)) {
      const path = [...this.#running.slice(this.#running.indexOf(name)), name].join(' -> ')
      throw new FirnError('graph', `the nodes wait for one another: ${path}; one of them has to do without`)
    }
    this.#running.push(name)
    try {
      const value = this.#producer.produce(name)
      this.#values.set(name, value)
      return value
    } finally {
      this.#running.pop()
    }
  }
}

// The outputs as properties. What is listed, spread or printed are those made so far.
class View implements ProxyHandler<object> {
  readonly #cache: OutputCache
  readonly #values: ReadonlyMap<string, unknown>

  constructor(cache: OutputCache, values: ReadonlyMap<string, unknown>) {
    this.#cache = cache
    this.#values = values
  }

  get(_: object, key: string | symbol): unknown {
    if (key === 'get') return (name: string) => this.#cache.get(name)
    // A `then` would make a promise of the cache call it.
    return typeof key === 'symbol' || key === 'then' ? undefined : this.#cache.get(key)
  }

  has(_: object, key: string | symbol): boolean {
    return typeof key === 'string' && this.#values.has(key)
  }

  ownKeys(): string[] {
    return [...this.#values.keys()]
  }

  getOwnPropertyDescriptor(_: object, key: string | symbol): PropertyDescriptor | undefined {
    if (typeof key === 'symbol' || !this.#values.has(key)) return undefined
    return { value: this.#values.get(key), enumerable: true, configurable: true, writable: true }
  }

  defineProperty(_: object, key: string | symbol): never {
    throw new FirnError('graph', `'${String(key)}' cannot be set: outputs are what forward returns; keep other values as resources`)
  }

  deleteProperty(_: object, key: string | symbol): never {
    throw new FirnError('graph', `'${String(key)}' cannot be deleted: outputs stay for their iteration`)
  }
}

function viewOf(cache: OutputCache, values: ReadonlyMap<string, unknown>): CacheAccess
function viewOf(cache: OutputCache, values: ReadonlyMap<string, unknown>): object {
  // Inspect looks behind a proxy, at its target.
  return new Proxy({ [inspect.custom]: () => Object.fromEntries(values) }, new View(cache, values))
}

/** Names that nodes cannot have: `x.get` is the cache's own, a `then` would make the cache a promise, and no record can hold a `__proto__`. */
export const reservedNames: readonly string[] = ['get', 'then', '__proto__']
