// BoundOptimizer: an optimizer at work on parameters; it counts micro-batches and steps.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import type { HookHandle } from '../tensor/index.ts'
import { BoundParams } from './boundParams.ts'
import { type AddedGroup, checkDistinct, type ParamGroup, parseGroup } from './group.ts'
import type { Optimizer } from './optimizer.ts'
import type { Outcome, Place, StepSettings } from './stepper.ts'
import { groupTable } from './table.ts'
import { contextNames, type LossScale, type Skipped, type Stepped, type UpdateContext, type UpdateResult } from './update.ts'

/** What came of a step; the norm is null where nobody asked. */
type Measured = Omit<Outcome, 'norm'> & { readonly norm: number | null }

/** An optimizer with its parameters; made by `bind`. */
export class BoundOptimizer extends BoundParams {
  readonly #hooks: HookHandle[] = []
  /** Whether a backward pass has begun an update that `step` has not ended. */
  #begun = false

  constructor(optimizer: Optimizer, groups: readonly ParamGroup[]) {
    super(optimizer, groups)
    if (optimizer.inBackward) this.#updateInBackward(this.stepper.allPlaces())
  }

  /**
   * Adds a group of parameters, as PyTorch's `add_param_group`: what is not given is the optimizer's. Its schedules stand where the others
   * stand, or with `fromNow` begin now.
   *
   * @example
   * const [body, head] = [new nn.Linear(2, 2), new nn.Linear(2, 1)]
   * const opt = optim.sgd({ lr: 0.1 }).bind([{ params: head.namedParameters() }])
   * opt.addGroup({ params: [['body.weight', body.weight]], lr: 0.01 })
   * opt.paramGroups.map(({ lr }) => lr) // [0.1, 0.01]
   */
  addGroup(source: AddedGroup, { fromNow = false }: { readonly fromNow?: boolean } = {}): void {
    const { rule, options, inBackward } = this.optimizer
    const what = `${rule}.addGroup`
    const start = this.stepper.handles.length
    const group = parseGroup(what, rule, options, source, { start })
    checkDistinct(what, [...this.paramGroups, group])
    if (fromNow) group.since = this.made
    group.follow(this.made)
    this.stepper.add([group])
    if (inBackward) this.#updateInBackward(this.stepper.places(this.paramGroups.length - 1))
  }

  /** Whether a window has begun and is not full. */
  get isAccumulating(): boolean {
    return this.window.count > 0
  }

  /**
   * Updates every parameter that has a gradient, at once and whatever the window; gradients stay until `zeroGrad`.
   *
   * @example
   * loss.backward()
   * opt.step()
   * opt.zeroGrad()
   */
  step(): Stepped {
    return this.#stepped(this.#step(1, this.optimizer.inBackward, {}).norm)
  }

  /** `step` under a gradient scaler; leaves the gradients unscaled. @internal */
  stepScaled(gradScaler: LossScale): Stepped | Skipped {
    if (this.optimizer.inBackward) throw new FirnError('argument', 'step: with inBackward the gradients are gone, and take no gradScaler')
    return this.#scaled(gradScaler, 1, false, {})
  }

  /**
   * Counts one micro-batch whose gradients are there; at the end of a window it divides them by the weight of the window,
   * clips, steps and drops them. An update that is skipped advances neither the schedule nor the rule's own counts.
   *
   * @example
   * const result = opt.update({ gradAccSteps: 4 })
   * if (result.kind === 'stepped') console.log(result.gradNorm)
   */
  update(context: UpdateContext = {}): UpdateResult {
    checkOptions('update', context, contextNames)
    const { gradAccSteps = 1, weight = 1 } = context
    if (this.optimizer.inBackward && (gradAccSteps > 1 || weight !== 1 || context.gradScaler))
      throw new FirnError('argument', 'update: with inBackward the gradients are gone, and take neither windows, weights nor a gradScaler')
    if (!(weight >= 0 && weight < Infinity)) throw new FirnError('argument', `update: weight must be a number >= 0, got ${weight}`)
    if (!(gradAccSteps >= 1)) throw new FirnError('argument', `update: gradAccSteps must be >= 1, got ${gradAccSteps}`)
    const window = this.optimizer.accumulate ?? gradAccSteps
    this.window = { count: this.window.count + 1, weight: this.window.weight + weight }
    return this.window.count < window ? { kind: 'accumulating', count: this.window.count, window } : this.#close(context)
  }

  /** Ends a window that is not full, as at the end of an epoch; null if it is empty. */
  flush(context: UpdateContext = {}): UpdateResult | null {
    checkOptions('flush', context, contextNames)
    return this.window.count === 0 ? null : this.#close(context)
  }

  /** Frees the state; the parameters stay. */
  dispose(): void {
    for (const hook of this.#hooks) hook.remove()
    this.stepper.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  override toString(): string {
    return groupTable({ '*': this })
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #close(context: UpdateContext): UpdateResult {
    const { gradScaler } = context
    const { weight } = this.window
    this.window = { count: 0, weight: 0 }
    if (weight === 0) {
      this.zeroGrad()
      return { kind: 'skipped', reason: 'zeroWeight' }
    }
    if (gradScaler !== undefined) return this.#scaled(gradScaler, weight, true, context)
    return this.#stepped(this.#step(1 / weight, true, context).norm)
  }

  // The check for infinities is part of the step, unless updaters have to know beforehand whether there will be one.
  #scaled(gradScaler: LossScale, weight: number, dropGradients: boolean, context: UpdateContext): Stepped | Skipped {
    const { factor, finite } = gradScaler.begin(this)
    const known = finite ?? (this.optimizer.updaters.length > 0 ? native.gradsAreFinite(this.stepper.handles) : null)
    const made = known === false ? null : this.#step(factor / weight, dropGradients, context, known === null)
    if (made === null && dropGradients) this.zeroGrad()
    if (finite === null) gradScaler.record(made?.count === 0 ? null : (made?.finite ?? false))
    return made?.finite ? this.#stepped(made.norm) : { kind: 'skipped', reason: 'nonFinite' }
  }

  #stepped(gradNorm: number | null): Stepped {
    return { kind: 'stepped', gradNorm }
  }

  #step(gradScale: number, dropGradients: boolean, context: UpdateContext, checkFinite = false): Measured {
    this.#begin(context)
    const measured = this.#measure(gradScale, context)
    const { norm, finite, count } = this.stepper.step({ ...this.#settings(gradScale, dropGradients), checkFinite })
    this.#begun = false
    if (finite) {
      this.made += 1
      for (const group of this.paramGroups) group.follow(this.made)
    }
    return { norm: this.optimizer.clipGradNorm === null ? measured : norm, finite, count }
  }

  #measure(gradScale: number, { measureNorm = false }: UpdateContext): number | null {
    const { clipGradNorm, inBackward, normType } = this.optimizer
    if (!measureNorm || clipGradNorm !== null || inBackward) return null
    return native.gradNorm(this.stepper.handles, normType) * Math.abs(gradScale)
  }

  #settings(gradScale: number, dropGradients: boolean): StepSettings {
    const { clipGradNorm, normType, clipGradValue, average, fused } = this.optimizer
    return {
      gradScale,
      clipNorm: clipGradNorm ?? 0,
      normType,
      clipValue: clipGradValue ?? 0,
      averageWeight: average?.weightAt(this.made) ?? 0,
      dropGradients,
      fused,
      checkFinite: false,
    }
  }

  // The first parameter of an update in a backward pass begins it; `step` updates what is left, and ends it.
  #updateInBackward(places: readonly Place[]): void {
    for (const { at, param } of places) {
      const update = (): void => {
        this.#begin({})
        this.stepper.stepOne(at, this.#settings(1, true))
      }
      this.#hooks.push(param.registerPostAccumulateGradHook(update))
    }
  }

  #begin(context: UpdateContext): void {
    this.running.refuse('step')
    this.modes.refuse('step')
    if (this.#begun) return
    this.#begun = this.optimizer.inBackward
    this.#runUpdaters(context)
  }

  #runUpdaters({ node = null, currentEpoch = 0, epochSteps = this.made, epochSize = null, globalSteps = this.made }: UpdateContext): void {
    for (const updater of this.optimizer.updaters) {
      for (const group of this.paramGroups) updater({ group, node, currentEpoch, epochSteps, epochSize, globalSteps })
    }
  }
}
