// Functions over a sample, one after another, typed from stage to stage.
import { FirnError } from '../errors.ts'
import { SampleRandom } from './random.ts'
import type { Pass } from './sampler.ts'

/** What a stage knows of its sample. A stage that looks at `random` or `epoch` is a random one: `cache` keeps what comes before it. */
export interface SampleContext {
  /** The sample's index in the dataset. */
  readonly index: number
  readonly epoch: number
  /** Depends on seed, epoch and index alone: the same in any worker and in a resumed run. */
  readonly random: SampleRandom
}

/** One step of a pipeline. */
export type Stage<In, Out> = (sample: In, context: SampleContext) => Out

/** Stages in order; made by `pipeline`. */
export class Pipeline<In, Out> {
  readonly stages: readonly Stage<unknown, unknown>[]
  /** Never there: what goes in and what comes out, for the compiler. */
  declare readonly types: (sample: In) => Out

  constructor(stages: readonly unknown[]) {
    this.stages = stages.map((stage, i) => {
      if (isStage(stage)) return stage
      const what = Array.isArray(stage) ? 'a list; write pipeline(a, b, c), which types each stage by the one before it' : typeof stage
      throw new FirnError('argument', `pipeline: stage ${i}: expected a function and got ${what}`)
    })
  }
}

const isStage = (stage: unknown): stage is Stage<unknown, unknown> => typeof stage === 'function'

/**
 * A list of stages for the option `pipeline`, or for `mapped`. The type of the first parameter is to be written; each stage then takes what
 * the one before it gave, and the compiler says where two do not fit.
 *
 * @example
 * const noisy = pipeline(
 *   (n: number) => ({ n, double: 2 * n }),
 *   ({ double }, { random }) => double + random.uniform(0, 0.1),
 * )
 * mapped(fromArray([1, 2]), noisy).get(1) >= 4 // true
 */
export function pipeline<A, B>(a: Stage<A, B>): Pipeline<A, B>
export function pipeline<A, B, C>(a: Stage<A, B>, b: Stage<B, C>): Pipeline<A, C>
export function pipeline<A, B, C, D>(a: Stage<A, B>, b: Stage<B, C>, c: Stage<C, D>): Pipeline<A, D>
export function pipeline<A, B, C, D, E>(a: Stage<A, B>, b: Stage<B, C>, c: Stage<C, D>, d: Stage<D, E>): Pipeline<A, E>
export function pipeline<A, B, C, D, E, F>(a: Stage<A, B>, b: Stage<B, C>, c: Stage<C, D>, d: Stage<D, E>, e: Stage<E, F>): Pipeline<A, F>
export function pipeline<A, B, C, D, E, F, G>(
  a: Stage<A, B>,
  b: Stage<B, C>,
  c: Stage<C, D>,
  d: Stage<D, E>,
  e: Stage<E, F>,
  f: Stage<F, G>,
): Pipeline<A, G>
export function pipeline(...stages: readonly unknown[]): Pipeline<unknown, unknown> {
  return new Pipeline(stages)
}

/** A stage whose text shows its arguments, too, by which a cache knows stages. */
export function described<In, Out>(name: string, args: unknown, stage: Stage<In, Out>): Stage<In, Out> {
  return Object.assign(stage, { toString: () => `${name}(${JSON.stringify(args)})` })
}

/** The context of a sample; what is random of it is made when somebody looks. */
export class Context implements SampleContext {
  readonly index: number
  /** Whether somebody looked at what changes from epoch to epoch. */
  touched = false
  readonly #pass: Pass
  #random: SampleRandom | undefined

  constructor(index: number, pass: Pass) {
    this.index = index
    this.#pass = pass
  }

  get epoch(): number {
    this.touched = true
    return this.#pass.epoch
  }

  get random(): SampleRandom {
    this.touched = true
    return (this.#random ??= new SampleRandom(this.#pass, this.index))
  }
}
