// All groups of an optimizer on their way to the core: handles, state and options as typed arrays, filled once and used at every step.
import { native } from '../backend/index.ts'
import { type DType, type Tensor, wrapHandle } from '../tensor/index.ts'
import type { ParamGroup } from './group.ts'
import { packOptions, rowSize, type RuleName, ruleOf } from './rule.ts'

const dropGradients = 1
const plainForm = 2
const checkFinite = 4

/** A tensor of optimizer state, under the name it has in state dicts. */
export type Slot = readonly [slot: string, tensor: Tensor<DType>]

/** A parameter and its place among all. */
export interface Place {
  readonly at: number
  readonly name: string
  readonly param: Tensor<DType>
}

/** How one step is made. */
export interface StepSettings {
  /** Factor of every gradient. */
  readonly gradScale: number
  /** Bound of the norm over all gradients, and the order of that norm; a bound of 0 is off. */
  readonly clipNorm: number
  readonly normType: number
  /** Bound of every number in a gradient; 0 is off. */
  readonly clipValue: number
  /** The new values' share in running averages of the parameters; 0 is off. */
  readonly averageWeight: number
  readonly dropGradients: boolean
  readonly fused: boolean
  /** Do nothing where a gradient is not finite; gradients that are not dropped are left multiplied by `gradScale`. */
  readonly checkFinite: boolean
}

/** What came of a step. */
export interface Outcome {
  /** Of all gradients before clipping; NaN where nothing needed it. */
  readonly norm: number
  /** Whether the step was made. */
  readonly finite: boolean
  /** How many parameters had a gradient. */
  readonly count: number
}

/** Steps the parameters of all groups in one call, and owns what the rule remembers of them. */
export class Stepper {
  readonly groups: readonly ParamGroup[]
  readonly handles: Uint32Array
  /** Updates so far, by parameter. */
  readonly steps: Float64Array
  readonly #rule: RuleName
  readonly #slots: readonly string[]
  readonly #counts: Uint32Array
  readonly #options: Float64Array
  readonly #rows: readonly Float64Array[]
  readonly #state: Uint32Array
  readonly #settings = new Float64Array(5)
  readonly #owned: (Tensor<DType> | undefined)[] = []

  constructor(rule: RuleName, groups: readonly ParamGroup[]) {
    this.groups = groups
    this.#rule = rule
    this.#slots = ruleOf(rule).slots
    this.#counts = Uint32Array.from(groups, ({ params }) => params.length)
    this.handles = Uint32Array.from(groups.flatMap(({ params }) => params.map(({ handle }) => handle)))
    this.steps = new Float64Array(this.handles.length)
    const width = rowSize(rule)
    this.#options = new Float64Array(width * groups.length)
    this.#rows = groups.map((_, g) => this.#options.subarray(g * width, (g + 1) * width))
    this.#state = new Uint32Array(this.handles.length * this.#slots.length)
  }

  /** Updates the parameters that have a gradient. */
  step(settings: StepSettings): Outcome {
    for (const g of this.#rows.keys()) this.#pack(g)
    return this.#call(settings, this.handles, this.#state, this.steps, this.#counts, this.#options)
  }

  /** Updates the parameter at a place, by itself. */
  stepOne(at: number, settings: StepSettings): Outcome {
    const g = this.#groupOf(at)
    const width = this.#slots.length
    const state = this.#state.subarray(at * width, (at + 1) * width)
    const [handle, step] = [this.handles.subarray(at, at + 1), this.steps.subarray(at, at + 1)]
    return this.#call(settings, handle, state, step, Uint32Array.of(1), this.#pack(g))
  }

  // The options of a group as they are now.
  #pack(g: number): Float64Array {
    const [group, row = new Float64Array()] = [this.groups[g], this.#rows[g]]
    if (group) packOptions(this.#rule, this.#rule, { ...group.options, lr: group.lr }, row)
    return row
  }

  #groupOf(at: number): number {
    let first = 0
    return this.#counts.findIndex((count) => at < (first += count))
  }

  #call(
    settings: StepSettings,
    handles: Uint32Array,
    state: Uint32Array,
    steps: Float64Array,
    counts: Uint32Array,
    options: Float64Array,
  ): Outcome {
    const { gradScale, clipNorm, normType, clipValue, averageWeight } = settings
    this.#settings.set([gradScale, clipNorm, normType, clipValue, averageWeight])
    const flags = (settings.dropGradients ? dropGradients : 0) | (settings.fused ? 0 : plainForm) | (settings.checkFinite ? checkFinite : 0)
    const [norm = NaN, finite = 1, count = 0] = native.optimizerStep(
      ruleOf(this.#rule).id,
      handles,
      state,
      steps,
      counts,
      options,
      this.#settings,
      flags,
    )
    this.#adopt()
    return { norm, finite: finite === 1, count }
  }

  /** The parameters of group `g`. */
  places(g: number): Place[] {
    const first = this.#counts.slice(0, g).reduce((sum, count) => sum + count, 0)
    const { names = [], params = [] } = this.groups[g] ?? {}
    return params.map((param, i) => ({ at: first + i, name: names[i] ?? '', param }))
  }

  /** The parameters of all groups. */
  allPlaces(): Place[] {
    return this.groups.flatMap((_, g) => this.places(g))
  }

  /** What the rule remembers of the parameter at a place. */
  slots(at: number): Slot[] {
    const first = at * this.#slots.length
    return this.#slots.flatMap((slot, k): Slot[] => {
      const tensor = this.#owned[first + k]
      return tensor === undefined ? [] : [[slot, tensor]]
    })
  }

  /** Replaces what the rule remembers of the parameter at a place. */
  restore(place: number, steps: number, slots: Readonly<Record<string, Tensor<DType>>>): void {
    this.steps[place] = steps
    for (const [k, slot] of this.#slots.entries()) {
      const at = place * this.#slots.length + k
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
