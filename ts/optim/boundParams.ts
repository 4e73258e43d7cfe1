// Parameters with what an optimizer remembers of them: groups, counts, averages, and all of it as a state.
import { native } from '../backend/index.ts'
import { FirnError } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import { type AveragedGuard, Averages, under } from './averages.ts'
import type { ParamGroup } from './group.ts'
import { compareState, loadState } from './load.ts'
import { Modes } from './mode.ts'
import type { Optimizer } from './optimizer.ts'
import { checkRank } from './shard.ts'
import { type OptimizerState, saveState } from './state.ts'
import { Stepper } from './stepper.ts'
import { fromTorch, initialRates } from './torch/load.ts'
import { saveTorch } from './torch/save.ts'
import type { TorchOptimizerState } from './torch/state.ts'

/** What a bound optimizer holds; how it steps is told by `BoundOptimizer`. */
export class BoundParams {
  readonly optimizer: Optimizer
  protected readonly stepper: Stepper
  protected readonly running: Averages
  protected readonly modes: Modes
  /** Updates made so far. */
  protected made = 0
  protected window = { count: 0, weight: 0 }

  constructor(optimizer: Optimizer, groups: readonly ParamGroup[]) {
    this.optimizer = optimizer
    this.stepper = new Stepper(optimizer.rule, groups)
    this.running = new Averages(optimizer.average, this.stepper)
    this.modes = new Modes(optimizer.rule, this.stepper)
  }

  get paramGroups(): readonly ParamGroup[] {
    return this.stepper.groups
  }

  /** Updates made so far. */
  get steps(): number {
    return this.made
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    native.zeroGrads(this.stepper.handles)
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
      group.follow(this.made)
    }
  }

  /**
   * Moves schedule-free parameters to their average, which is what is evaluated and saved as the model; meanwhile no step is made. Other
   * optimizers refuse.
   *
   * @example
   * const w = tensor([1], { requiresGrad: true })
   * const opt = optim.scheduleFreeAdamW({ lr: 0.1 }).bind([w])
   * w.grad = tensor([1])
   * opt.step()
   * opt.eval()
   * w // [0.9]
   * opt.train()
   */
  eval(): void {
    this.running.refuse('eval')
    this.modes.set('eval')
  }

  /** Moves schedule-free parameters back to where gradients are taken. @example const opt = optim.scheduleFreeAdamW().bind(model); opt.eval(); opt.train() */
  train(): void {
    this.running.refuse('train')
    this.modes.set('train')
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
    return this.running.values()
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
    const guard = this.running.swap()
    return fn === undefined ? guard : under(guard, fn)
  }

  /**
   * Everything that is needed to go on exactly: tensors by parameter name, the rest as JSON. `rank` is the process that is to hold the
   * state where it is kept in parts; the one process that there is has rank 0. @default { rank: 0 }
   */
  stateDict({ rank = 0 }: { readonly rank?: number } = {}): OptimizerState {
    checkRank('stateDict', rank)
    this.running.refuse('stateDict')
    const mode = this.modes.current
    const counts = { steps: this.made, window: this.window, ...(mode === 'eval' && { mode }) }
    return saveState(this.optimizer.rule, counts, this.stepper)
  }

  /**
   * Takes over what `stateDict` gave. Rule, groups, names and shapes are all compared first; any difference is an error that
   * lists every one, and nothing is loaded. An option goes on as it was when saved, unless the optimizer is now made with
   * another value for it: then the new value holds. Gradients are those of the saved window.
   */
  loadStateDict(state: object): void {
    this.running.refuse('loadStateDict')
    const { steps, window, mode = 'train' } = loadState(this.optimizer.rule, this.stepper, state)
    this.made = steps
    this.window = window
    this.modes.current = mode
  }

  /** What keeps a state from fitting, a line each, without loading anything. @internal */
  compareStateDict(state: object): readonly string[] {
    return compareState(this.optimizer.rule, this.stepper, state).differences
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
    this.running.refuse('torchStateDict')
    return saveTorch(this.optimizer.rule, this.stepper, names)
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
  loadTorchStateDict(state: unknown, { steps = null }: { readonly steps?: number | null } = {}): void {
    this.running.refuse('loadTorchStateDict')
    this.loadStateDict(fromTorch(this.optimizer.rule, this.stepper, state, steps))
    for (const [g, rate] of initialRates(state).entries()) this.paramGroups[g]?.begin(rate)
  }
}
