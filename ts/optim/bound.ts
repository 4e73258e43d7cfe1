// BoundOptimizer: an optimizer at work on parameters; it counts micro-batches and updates, and holds the state.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import type { DType, HookHandle, Tensor } from '../tensor/index.ts'
import { type AveragedGuard, Averages, under } from './averages.ts'
import type { ParamGroup } from './group.ts'
import { loadState } from './load.ts'
import type { Optimizer, UpdaterContext } from './optimizer.ts'
import { type OptimizerState, saveState } from './state.ts'
import { type Outcome, Stepper, type StepSettings } from './stepper.ts'
import { groupTable } from './table.ts'

/** What a step asks of a gradient scaler; `GradScaler` is one. */
export interface LossScale {
  /** What is still to be taken out of the gradients as a factor, and whether they are finite; null where the step is to find out. */
  begin(optimizer: BoundOptimizer): { readonly factor: number; readonly finite: boolean | null }
  /** Told what `begin` left open; null where there was no gradient. */
  record(finite: boolean | null): void
}

/** Where training stands: told to the updaters, and how a micro-batch counts. */
export interface UpdateContext extends Partial<Omit<UpdaterContext, 'group'>> {
  /** Takes the scale out of the gradients, and skips the update when one is not finite. @default none */
  readonly gradScaler?: LossScale
  /** Micro-batches of a window, unless the optimizer's `accumulate` says otherwise. @default 1 */
  readonly gradAccSteps?: number
  /** What the gradients are divided by for this micro-batch; its number of tokens if its loss is a sum over them. @default 1 */
  readonly weight?: number
}

/** An update was made; `gradNorm` is the norm of the gradients before clipping, null without `clipGradNorm`. */
export type Stepped = { readonly kind: 'stepped'; readonly gradNorm: number | null }

/** What became of a micro-batch. */
export type UpdateResult = Stepped | { readonly kind: 'accumulating'; readonly count: number; readonly window: number } | Skipped

/** No update was made, and nothing advanced. */
export type Skipped = { readonly kind: 'skipped'; readonly reason: 'nonFinite' | 'zeroWeight' }

const contextNames = ['gradScaler', 'gradAccSteps', 'weight', 'node', 'currentEpoch', 'epochSteps', 'epochSize', 'globalSteps'] as const

/** An optimizer with its parameters; made by `bind`. */
export class BoundOptimizer {
  readonly optimizer: Optimizer
  readonly paramGroups: readonly ParamGroup[]
  readonly #stepper: Stepper
  #steps = 0
  #window = { count: 0, weight: 0 }
  readonly #averages: Averages
  readonly #hooks: HookHandle[] = []
  /** Whether a backward pass has begun an update that `step` has not ended. */
  #begun = false

  constructor(optimizer: Optimizer, groups: readonly ParamGroup[]) {
    this.optimizer = optimizer
    this.paramGroups = groups
    this.#stepper = new Stepper(optimizer.rule, groups)
    this.#averages = new Averages(optimizer.average, this.#stepper)
    if (optimizer.inBackward) this.#updateInBackward()
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#steps
  }

  /** Whether a window has begun and is not full. */
  get isAccumulating(): boolean {
    return this.#window.count > 0
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

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    native.zeroGrads(this.#stepper.handles)
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
    this.#window = { count: this.#window.count + 1, weight: this.#window.weight + weight }
    return this.#window.count < window ? { kind: 'accumulating', count: this.#window.count, window } : this.#close(context)
  }

  /** Ends a window that is not full, as at the end of an epoch; null if it is empty. */
  flush(context: UpdateContext = {}): UpdateResult | null {
    checkOptions('flush', context, contextNames)
    return this.#window.count === 0 ? null : this.#close(context)
  }

  /**
   * Tells a metric to every option that follows one (`plateau`), as after an evaluation.
   *
   * @example
   * const opt = optim.sgd({ lr: optim.plateau({ from: 1, patience: 0 }) }).bind(new nn.Linear(2, 1))
   * opt.observe(0.5)
   * opt.observe(0.7)
   * opt.paramGroups[0].lr // 0.1
   */
  observe(metric: number): void {
    if (typeof metric !== 'number') throw new FirnError('argument', `observe: expected a number, got ${String(metric)}`)
    for (const group of this.paramGroups) {
      group.observe(metric)
      group.follow(this.#steps)
    }
  }

  /**
   * The running averages of the parameters by name, in the parameters' dtypes; those not averaged yet as they are. Needs the option `average`.
   *
   * @example
   * const model = new nn.Linear(2, 1)
   * const opt = optim.sgd({ lr: 0.1, average: optim.ema() }).bind(model)
   * Object.keys(opt.averages()) // ['weight', 'bias']
   */
  averages(): Record<string, Tensor<DType>> {
    return this.#averages.values()
  }

  /**
   * Lets the parameters hold their running averages, as for an evaluation: until the guard is disposed of, or while `fn` runs, which may be
   * asynchronous. Meanwhile the optimizer makes no step. Statistics of batch norms stay as they are; see `updateBn`.
   *
   * @example
   * const w = tensor([1], { requiresGrad: true })
   * const opt = optim.sgd({ lr: 1, average: optim.swa() }).bind([w])
   * for (const g of [1, 2]) { w.grad = tensor([g]); opt.step() }
   * w // [-2]
   * opt.averaged(() => w.itemSync()) // -1
   */
  averaged(): AveragedGuard
  averaged<T>(fn: () => T): T
  averaged<T>(fn?: () => T): T | AveragedGuard {
    const guard = this.#averages.swap()
    return fn === undefined ? guard : under(guard, fn)
  }

  /** Everything that is needed to go on exactly: tensors by parameter name, the rest as JSON. */
  stateDict(): OptimizerState {
    this.#averages.refuse('stateDict')
    return saveState(this.optimizer.rule, { steps: this.#steps, window: this.#window }, this.#stepper)
  }

  /**
   * Takes over what `stateDict` gave. Rule, groups, names and shapes are all compared first; any difference is an error that
   * lists every one, and nothing is loaded. An option goes on as it was when saved, unless the optimizer is now made with
   * another value for it: then the new value holds. Gradients are those of the saved window.
   */
  loadStateDict(state: object): void {
    this.#averages.refuse('loadStateDict')
    const { steps, window } = loadState(this.optimizer.rule, this.#stepper, state)
    this.#steps = steps
    this.#window = window
  }

  /** Frees the state; the parameters stay. */
  dispose(): void {
    for (const hook of this.#hooks) hook.remove()
    this.#stepper.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  toString(): string {
    return groupTable({ '*': this })
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #close(context: UpdateContext): UpdateResult {
    const { gradScaler } = context
    const { weight } = this.#window
    this.#window = { count: 0, weight: 0 }
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
    const known = finite ?? (this.optimizer.updaters.length > 0 ? native.gradsAreFinite(this.#stepper.handles) : null)
    const made = known === false ? null : this.#step(factor / weight, dropGradients, context, known === null)
    if (made === null && dropGradients) this.zeroGrad()
    if (finite === null) gradScaler.record(made?.count === 0 ? null : (made?.finite ?? false))
    return made?.finite ? this.#stepped(made.norm) : { kind: 'skipped', reason: 'nonFinite' }
  }

  #stepped(norm: number): Stepped {
    return { kind: 'stepped', gradNorm: this.optimizer.clipGradNorm === null ? null : norm }
  }

  #step(gradScale: number, dropGradients: boolean, context: UpdateContext, checkFinite = false): Outcome {
    this.#begin(context)
    const outcome = this.#stepper.step({ ...this.#settings(gradScale, dropGradients), checkFinite })
    this.#begun = false
    if (!outcome.finite) return outcome
    this.#steps += 1
    for (const group of this.paramGroups) group.follow(this.#steps)
    return outcome
  }

  #settings(gradScale: number, dropGradients: boolean): StepSettings {
    const { clipGradNorm, normType, clipGradValue, average, fused } = this.optimizer
    return {
      gradScale,
      clipNorm: clipGradNorm ?? 0,
      normType,
      clipValue: clipGradValue ?? 0,
      averageWeight: average?.weightAt(this.#steps) ?? 0,
      dropGradients,
      fused,
      checkFinite: false,
    }
  }

  // The first parameter of an update in a backward pass begins it; `step` updates what is left, and ends it.
  #updateInBackward(): void {
    for (const { at, param } of this.#stepper.allPlaces()) {
      const update = (): void => {
        this.#begin({})
        this.#stepper.stepOne(at, this.#settings(1, true))
      }
      this.#hooks.push(param.registerPostAccumulateGradHook(update))
    }
  }

  #begin(context: UpdateContext): void {
    this.#averages.refuse('step')
    if (this.#begun) return
    this.#begun = this.optimizer.inBackward
    this.#runUpdaters(context)
  }

  #runUpdaters({
    node = null,
    currentEpoch = 0,
    epochSteps = this.#steps,
    epochSize = null,
    globalSteps = this.#steps,
  }: UpdateContext): void {
    for (const updater of this.optimizer.updaters) {
      for (const group of this.paramGroups) updater({ group, node, currentEpoch, epochSteps, epochSize, globalSteps })
    }
  }
}
