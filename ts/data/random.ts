// What a stage of a pipeline draws from: numbers that depend on seed, epoch and sample alone.
import { Generator } from '../tensor/index.ts'
import { hash, unit } from './mix.ts'
import type { Pass } from './sampler.ts'

/**
 * Random numbers of one sample in one epoch. They are the same in any worker, in any order of samples and after a resume.
 *
 * @example
 * const random = new SampleRandom({ seed: 0, epoch: 0 }, 3)
 * random.uniform() === new SampleRandom({ seed: 0, epoch: 0 }, 3).uniform() // true
 */
export class SampleRandom {
  readonly #key: number
  #count = 0

  constructor({ seed, epoch }: Pass, index: number) {
    this.#key = hash(seed, epoch, index)
  }

  /** From `low`, included, to `high`, not included. @example new SampleRandom({ seed: 0, epoch: 0 }, 0).uniform(2, 2) // 2 */
  uniform(low = 0, high = 1): number {
    return low + unit(this.#key, this.#count++) * (high - low)
  }

  /** A whole number in 0..n-1. @example new SampleRandom({ seed: 0, epoch: 0 }, 0).below(1) // 0 */
  below(n: number): number {
    return Math.floor(this.uniform(0, n))
  }

  /** True in a share `p` of all cases. @example new SampleRandom({ seed: 0, epoch: 0 }, 0).chance(1) // true */
  chance(p: number): boolean {
    return this.uniform() < p
  }

  /** Normally distributed, with mean 0 and deviation 1. */
  normal(): number {
    // Box and Muller; 1 - u is never 0.
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** A generator for tensors: `randn([3], { generator: random.generator() })`. */
  generator(): Generator {
    return new Generator(hash(this.#key, this.#count++))
  }
}
