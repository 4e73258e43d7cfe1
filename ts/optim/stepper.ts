// One group on its way to the core: handles, state and options as typed arrays, filled once and used at every step.
import { native } from '../backend/index.ts'
import { type DType, type Tensor, wrapHandle } from '../tensor/index.ts'
import type { ParamGroup } from './group.ts'
import { packOptions, rowSize, type RuleName, ruleOf } from './rule.ts'

/** Flags of the native step. */
export const dropGradients = 1
export const plainForm = 2

/** A tensor of optimizer state, under the name it has in state dicts. */
export type Slot = readonly [slot: string, tensor: Tensor<DType>]

/** Steps the parameters of one group, and owns what the rule remembers of them. */
export class Stepper {
  readonly group: ParamGroup
  readonly handles: Uint32Array
  /** Updates so far, by parameter. */
  readonly steps: Float64Array
  readonly #rule: RuleName
  readonly #slots: readonly string[]
  readonly #row: Float64Array
  readonly #state: Uint32Array
  readonly #owned: (Tensor<DType> | undefined)[] = []

  constructor(rule: RuleName, group: ParamGroup) {
    this.group = group
    this.#rule = rule
    this.#slots = ruleOf(rule).slots
    this.handles = Uint32Array.from(group.params, (tensor) => tensor.handle)
    this.steps = new Float64Array(this.handles.length)
    this.#row = new Float64Array(rowSize(rule))
    this.#state = new Uint32Array(this.handles.length * this.#slots.length)
  }

  /** Updates the parameters that have a gradient; gives the norm of the gradients if `clipNorm` is not 0. */
  step(gradScale: number, clipNorm: number, clipValue: number, flags: number): number {
    const { lr, options } = this.group
    packOptions(this.#rule, this.#rule, { ...options, lr }, this.#row)
    const norm = native.optimizerStep(
      ruleOf(this.#rule).id,
      this.handles,
      this.#state,
      this.steps,
      this.#row,
      gradScale,
      clipNorm,
      clipValue,
      flags,
    )
    this.#adopt()
    return norm
  }

  /** What the rule remembers of parameter `i`. */
  slots(i: number): Slot[] {
    const first = i * this.#slots.length
    return this.#slots.flatMap((slot, k): Slot[] => {
      const tensor = this.#owned[first + k]
      return tensor === undefined ? [] : [[slot, tensor]]
    })
  }

  /** Replaces what the rule remembers of parameter `i`. */
  restore(i: number, steps: number, slots: Readonly<Record<string, Tensor<DType>>>): void {
    this.steps[i] = steps
    for (const [k, slot] of this.#slots.entries()) {
      const at = i * this.#slots.length + k
      const value = slots[slot]?.detach().keep()
      this.#owned[at]?.dispose()
      this.#owned[at] = value
      this.#state[at] = value?.handle ?? 0
    }
  }

  /** Frees the state. */
  dispose(): void {
    for (const tensor of this.#owned) tensor?.dispose()
    this.#owned.length = 0
    this.#state.fill(0)
  }

  // State that the core has just made becomes tensors of ours, so that it is freed with the optimizer.
  #adopt(): void {
    for (let at = 0; at < this.#state.length; at++) {
      const handle = this.#state[at] ?? 0
      if (handle !== 0 && this.#owned[at] === undefined) this.#owned[at] = wrapHandle(handle).keep()
    }
  }
}
