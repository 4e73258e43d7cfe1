// Several meters as one.
import type { Json } from '../../io/index.ts'
import type { AnyMeter, Meter } from './meter.ts'

type InputsOf<M> = M extends Meter<infer In> ? In : never
type ResultOf<M> = M extends Meter<never, infer Out> ? Out : never

class DictMeter implements Meter<[values: Readonly<Record<string, readonly unknown[]>>], Record<string, Json>> {
  readonly #meters: readonly (readonly [name: string, meter: AnyMeter])[]

  constructor(meters: Readonly<Record<string, AnyMeter>>) {
    this.#meters = Object.entries(meters)
  }

  reset(): void {
    for (const [, meter] of this.#meters) meter.reset()
  }

  update(values: Readonly<Record<string, readonly unknown[]>>): void {
    for (const [name, meter] of this.#meters) meter.update(...(values[name] ?? []))
  }

  evaluate(): Promise<Record<string, Json>> {
    return this.#collect((meter) => meter.evaluate())
  }

  stateDict(): Promise<Record<string, Json>> {
    return this.#collect((meter) => meter.stateDict())
  }

  loadStateDict(state: Json): void {
    const states: ReadonlyMap<string, Json> = new Map(Object.entries(state ?? {}))
    for (const [name, meter] of this.#meters) meter.loadStateDict(states.get(name) ?? null)
  }

  async #collect(get: (meter: AnyMeter) => Promise<Json>): Promise<Record<string, Json>> {
    return Object.fromEntries(await Promise.all(this.#meters.map(async ([name, meter]) => [name, await get(meter)] as const)))
  }
}

/**
 * Several meters under names; takes a record of their inputs.
 *
 * @example
 * new MetricNode({
 *   meter: meter.dict({ loss: meter.average(), accuracy: meter.accuracy() }),
 *   forward: (_, x) => [{ loss: [x.loss], accuracy: [x.net, x.mnist.label] }],
 * })
 */
export function dict<M extends Readonly<Record<string, AnyMeter>>>(
  meters: M,
): Meter<[values: { readonly [K in keyof M]: Readonly<InputsOf<M[K]>> }], { readonly [K in keyof M]: ResultOf<M[K]> }>
export function dict(meters: Readonly<Record<string, AnyMeter>>): unknown {
  return new DictMeter(meters)
}
