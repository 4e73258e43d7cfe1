// BoundOptimizer: an optimizer at work on parameters; it counts micro-batches and updates, and holds the state.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import type { DType, HookHandle, Tensor } from '../tensor/index.ts'
import { type AveragedGuard, Averages, under } from './averages.ts'
import { type GroupSource, type ParamGroup, parseTarget } from './group.ts'
import { loadState } from './load.ts'
import type { Optimizer } from './optimizer.ts'
import type { RuleName } from './rule.ts'
import { type OptimizerState, saveState } from './state.ts'
import { type Outcome, type Place, Stepper } from './stepper.ts'
import { groupTable } from './table.ts'
import { fromTorch, initialRates } from './torch/load.ts'
import { saveTorch } from './torch/save.ts'
import type { TorchOptimizerState } from './torch/state.ts'
import { contextNames, settingsOf, type LossScale, type Skipped, type Stepped, type UpdateContext, type UpdateResult } from './update.ts'

/** An optimizer with its parameters; made by `bind`. */
export class BoundOptimizer<R extends RuleName = RuleName> {
  readonly optimizer: Optimizer
  readonly #stepper: Stepper
  #steps = 0
  #window = { count: 0, weight: 0 }
  readonly #averages: Averages
  readonly #hooks: HookHandle[] = []
  /** Whether a backward pass has begun an update that `step` has not ended. */
  #begun = false

  constructor(optimizer: Optimizer, groups: readonly ParamGroup[]) {
    this.optimizer = optimizer
    this.#stepper = new Stepper(optimizer.rule, groups)
    this.#averages = new Averages(optimizer.average, this.#stepper)
    if (optimizer.inBackward) this.#updateInBackward(this.#stepper.allPlaces())
  }

  /** The groups of parameters, in order. */
  get paramGroups(): readonly ParamGroup[] {
    return this.#stepper.groups
  }

  /**
   * Takes more parameters, as a group of its own; what it does not say of its options is the optimizer's. Schedules go by the updates that the
   * optimizer has made, for the new group as for the others; the rule's own counts begin at nothing.
   *
   * @example
   * const [body, head] = [new nn.Linear(4, 4), new nn.Linear(4, 2)]
   * const opt = optim.adamW({ lr: 1e-3 }).bind(body)
   * opt.addGroup({ params: head.parameters(), lr: 1e-2 })
   * opt.paramGroups.map(({ lr }) => lr) // [0.001, 0.01]
   */
  addGroup(group: GroupSource<R>): void {
    this.#averages.refuse('addGroup')
    const { rule, options } = this.optimizer
    const first = this.#stepper.handles.length
    const groups = parseTarget(`${rule}.addGroup`, rule, options, [group], this.paramGroups)
    for (const each of groups) each.follow(this.#steps)
    this.#stepper.add(groups)
    if (this.optimizer.inBackward) this.#updateInBackward(this.#stepper.allPlaces().slice(first))
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

  /**
   * The state as PyTorch's optimizer of the same name saves it: parameters by number, options under PyTorch's names; see
   * docs/design/optimizers.md for the way into a file that Python reads. `names` adds `param_names` to the groups. Running averages, an
   * open window and the number of updates are no part of it.
   *
   * @example
   * const layer = new nn.Linear(2, 1)
   * const opt = optim.sgd({ lr: 0.1, momentum: 0.9 }).bind(layer)
   * opt.torchStateDict({ names: true }).param_groups[0].param_names // ['weight', 'bias']
   */
  torchStateDict({ names = false }: { readonly names?: boolean } = {}): TorchOptimizerState {
    this.#averages.refuse('torchStateDict')
    return saveTorch(this.optimizer.rule, this.#stepper, names)
  }

  /**
   * Takes over what `state_dict()` of PyTorch's optimizer of the same name gave, as PyTorch does: parameters by position, whatever their
   * names; options too, the rate among them; tensors in the dtypes of the parameters. Number and sizes of groups, options and shapes are
   * compared first; any difference is an error that lists every one, and nothing is loaded. `steps` are the updates made so far, for
   * schedules; by default the most that any parameter counts (SGD and Muon count none).
   *
   * @example
   * const optimizer = optim.adamW({ lr: 1e-3 })
   * const layer = new nn.Linear(2, 1)
   * const opt = optimizer.bind(layer)
   * layer.forward(ones([1, 2])).sum().backward()
   * opt.step()
   * const other = optimizer.bind(layer)
   * other.loadTorchStateDict(opt.torchStateDict())
   * other.steps // 1
   */
  loadTorchStateDict(state: object, { steps = null }: { readonly steps?: number | null } = {}): void {
    this.#averages.refuse('loadTorchStateDict')
    this.loadStateDict(fromTorch(this.optimizer.rule, this.#stepper, state, steps))
    for (const [g, rate] of initialRates(state).entries()) this.paramGroups[g]?.begin(rate)
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
    const outcome = this.#stepper.step(settingsOf(this.optimizer, this.#steps, { gradScale, dropGradients, checkFinite }))
    this.#begun = false
    if (!outcome.finite) return outcome
    this.#steps += 1
    for (const group of this.paramGroups) group.follow(this.#steps)
    return outcome
  }

  // The first parameter of an update in a backward pass begins it; `step` updates what is left, and ends it.
  #updateInBackward(places: readonly Place[]): void {
    for (const { at, param } of places) {
      const update = (): void => {
        this.#begin({})
        this.#stepper.stepOne(at, settingsOf(this.optimizer, this.#steps, { gradScale: 1, dropGradients: true, checkFinite: false }))
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
