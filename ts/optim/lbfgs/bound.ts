// L-BFGS at work on parameters: the closure is called as often as the search for a step needs.
import { native } from '../../backend/index.ts'
import { FirnError } from '../../errors.ts'
import { cat, type DType, Tensor, tensor, tidy, zeros } from '../../tensor/index.ts'
import type { NamedTensor } from '../group.ts'
import { refuse } from '../load.ts'
import { isTorchState, type TorchEntry, type TorchOptimizerState } from '../torch/state.ts'
import { type LinePoint, strongWolfe } from './lineSearch.ts'
import { directionOf, loadMemory, type Memory, remember, saveMemory, tensorsOf } from './memory.ts'
import { completeLbfgs, type CompleteLbfgsOptions, lbfgsKeys } from './options.ts'

/** Computes the loss and its gradients anew: `zeroGrad`, forward, `backward`. */
export type LossClosure = () => Tensor<DType> | number

/** What came of a step of L-BFGS. */
export type LbfgsStepped = {
  readonly kind: 'stepped'
  /** The loss before the step. */
  readonly loss: number
  readonly iterations: number
  /** How often the closure was called. */
  readonly evaluations: number
}

/** The state of L-BFGS: what it remembers under PyTorch's keys, its options and the names of its parameters. */
export type LbfgsState = {
  readonly rule: 'lbfgs'
  readonly params: readonly string[]
  readonly options: Readonly<Record<string, number | boolean | string | null>>
  readonly state: Readonly<Record<string, TorchEntry>>
}

/** L-BFGS with its parameters; made by `optim.lbfgs(...).bind`. */
export class BoundLbfgs {
  readonly names: readonly string[]
  readonly params: readonly Tensor<DType>[]
  #options: CompleteLbfgsOptions
  #memory: Memory | null = null
  #iterations = 0
  #evaluations = 0

  constructor(options: CompleteLbfgsOptions, named: readonly NamedTensor[]) {
    this.#options = options
    this.names = named.map(([name]) => name)
    this.params = named.map(([, param]) => param)
    const dtypes = [...new Set(this.params.map(({ dtype }) => dtype))]
    if (dtypes.length > 1 || !(dtypes[0] === 'float32' || dtypes[0] === 'float64'))
      throw new FirnError('dtype', `lbfgs.bind: parameters must all be float32 or all be float64, got ${dtypes.join(' and ')}`)
  }

  /** The options as they are. */
  get options(): CompleteLbfgsOptions {
    return this.#options
  }

  /** The length of a step, the first to be tried where there is a line search; may be set at any time. */
  get lr(): number {
    return this.#options.lr
  }

  set lr(lr: number) {
    this.#options = completeLbfgs('lbfgs', { ...this.#options, lr })
  }

  /** Iterations made so far, by all steps. */
  get iterations(): number {
    return this.#iterations
  }

  /** How often the closure was called so far. */
  get evaluations(): number {
    return this.#evaluations
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    native.zeroGrads(Uint32Array.from(this.params, ({ handle }) => handle))
  }

  /**
   * Moves the parameters by up to `maxIter` iterations. `closure` drops the gradients, computes the loss, calls `backward` and gives the loss;
   * it is called at other values of the parameters until a step is found, so it must give the same loss for the same values.
   *
   * @example
   * const w = tensor([3, -2], { requiresGrad: true })
   * const opt = optim.lbfgs({ lineSearch: 'strongWolfe' }).bind([w])
   * opt.step(() => {
   *   opt.zeroGrad()
   *   const loss = w.sub(tensor([1, 2])).square().sum()
   *   loss.backward()
   *   return loss
   * })
   * w // [1, 2]
   */
  step(closure: LossClosure): LbfgsStepped {
    if (typeof closure !== 'function')
      throw new FirnError('argument', 'lbfgs: step takes a closure that computes the loss anew: opt.step(() => { ...; return loss })')
    const made = tidy(() => {
      const result = this.#run(closure)
      if (result.memory === null) return result
      for (const item of tensorsOf(result.memory)) item.keep()
      return result
    })
    const kept = new Set(made.memory === null ? [] : tensorsOf(made.memory))
    for (const item of this.#memory === null ? [] : tensorsOf(this.#memory)) if (!kept.has(item)) item.dispose()
    this.#memory = made.memory
    return made.stepped
  }

  /** Everything that is needed to go on exactly; `splitState` parts it into tensors and JSON. */
  stateDict(): LbfgsState {
    return { rule: 'lbfgs', params: this.names, options: this.#torchOptions(), state: this.#saved() }
  }

  /** Takes over what `stateDict` gave, options too. Names and sizes are compared first; an error lists every difference, and nothing is loaded. */
  loadStateDict(state: object): void {
    const what = 'lbfgs.loadStateDict'
    const { rule, params, options, state: saved }: Record<string, unknown> = { ...state }
    if (rule !== 'lbfgs' || !Array.isArray(params) || !isTorchState({ state: { 0: saved }, param_groups: [] }))
      throw new FirnError('argument', `${what}: this is not what stateDict() of L-BFGS gives`)
    const missing = this.names.filter((name) => !params.includes(name)).map((name) => `missing: ${name}`)
    const unexpected = params.filter((name) => !this.names.includes(String(name))).map((name) => `unexpected: ${String(name)}`)
    this.#load(what, [...missing, ...unexpected], Object(options), Object(saved))
  }

  /** The state as `torch.optim.LBFGS` saves it. @example const opt = optim.lbfgs().bind(new nn.Linear(2, 1)); opt.torchStateDict().param_groups[0].params // [0, 1] */
  torchStateDict(): TorchOptimizerState {
    const saved = this.#saved()
    const params = this.params.map((_, id) => id)
    return { state: this.#evaluations === 0 ? {} : { 0: saved }, param_groups: [{ ...this.#torchOptions(), params }] }
  }

  /** Takes over what `state_dict()` of `torch.optim.LBFGS` gave, options too; what differs is an error, and nothing is loaded. */
  loadTorchStateDict(state: unknown): void {
    const what = 'lbfgs.loadTorchStateDict'
    if (!isTorchState(state))
      throw new FirnError('argument', `${what}: this is not what a PyTorch optimizer's state_dict() gives, { state, param_groups }`)
    const [group] = state.param_groups
    const differences: string[] = []
    if (state.param_groups.length !== 1) differences.push(`groups: 1 here, ${state.param_groups.length} in the state`)
    else if (group?.params.length !== this.params.length)
      differences.push(`group 0: ${this.params.length} parameters here, ${group?.params.length} in the state`)
    this.#load(what, differences, group ?? {}, state.state[String(group?.params[0] ?? 0)] ?? {})
  }

  /** Frees what is remembered; the parameters stay. */
  dispose(): void {
    for (const item of this.#memory === null ? [] : tensorsOf(this.#memory)) item.dispose()
    this.#memory = null
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #run(closure: LossClosure): { memory: Memory | null; stepped: LbfgsStepped } {
    const { lr, maxIter, maxEval, toleranceGrad, toleranceChange, historySize, lineSearch, maximize } = this.#options
    let evaluations = 0
    const evaluate = (): { loss: number; grad: Tensor<DType> } => {
      evaluations += 1
      this.#evaluations += 1
      return tidy(() => {
        const loss = lossOf(closure())
        const grad = this.#gradient()
        return maximize ? { loss: -loss, grad: grad.neg() } : { loss, grad }
      })
    }
    let { loss, grad } = evaluate()
    const first = maximize ? -loss : loss
    let memory = this.#memory
    let iterations = 0
    const done = () => ({ memory, stepped: { kind: 'stepped', loss: first, iterations, evaluations } as const })
    if (largest(grad) <= toleranceGrad) return done()
    while (iterations < maxIter) {
      iterations += 1
      this.#iterations += 1
      const fresh = memory === null
      const before: Memory = memory === null ? begun(grad, loss) : remember(memory, grad, historySize)
      const direction = fresh ? before.direction : directionOf(before, grad)
      const length = fresh ? Math.min(1, 1 / Number(grad.abs().sum().itemSync())) * lr : lr
      memory = { ...before, direction, length, gradient: grad, loss }
      const slope = Number(grad.dot(direction).itemSync())
      if (slope > -toleranceChange) break
      const previous = loss
      if (lineSearch !== null) {
        const values = this.params.map((param) => param.detach())
        const at = (t: number): LinePoint => {
          try {
            this.#move(t, direction)
            const here = evaluate()
            return { t, ...here, slope: Number(here.grad.dot(direction).itemSync()) }
          } finally {
            // Also where the closure throws.
            for (const [i, param] of this.params.entries()) param.update((x) => values[i] ?? x)
          }
        }
        const from = { t: 0, loss, grad, slope }
        const most = maxEval - evaluations
        const point = strongWolfe({ from, t: length, reach: largest(direction), toleranceChange, most, evaluate: at })
        memory = { ...memory, length: point.t }
        ;({ loss, grad } = point)
        this.#move(point.t, direction)
      } else {
        this.#move(length, direction)
        // The last iteration needs no loss: the next step begins with one.
        if (iterations !== maxIter) ({ loss, grad } = evaluate())
      }
      if (iterations === maxIter || evaluations >= maxEval || largest(grad) <= toleranceGrad) break
      if (largest(direction.mul(memory.length)) <= toleranceChange || Math.abs(loss - previous) < toleranceChange) break
    }
    return done()
  }

  // All gradients as one vector, zeros where there is none.
  #gradient(): Tensor<DType> {
    return cat(this.params.map(({ grad, size, dtype }) => grad?.reshape([size]) ?? zeros([size], { dtype })))
  }

  #move(length: number, direction: Tensor<DType>): void {
    let at = 0
    for (const param of this.params) {
      const part = direction.narrow(0, at, param.size)
      param.update((x) => x.add(part.reshape([...param.shape]).mul(length)))
      at += param.size
    }
  }

  #saved(): Record<string, TorchEntry> {
    const counts = { func_evals: this.#evaluations, n_iter: this.#iterations }
    return this.#memory === null ? counts : { ...counts, ...saveMemory(this.#memory) }
  }

  #torchOptions(): Record<string, number | boolean | string | null> {
    const entries = Object.entries({ ...this.#options, lineSearch: this.#options.lineSearch === null ? null : 'strong_wolfe' })
    return Object.fromEntries(entries.map(([name, value]) => [torchKey(name), value]))
  }

  #load(what: string, differences: string[], options: object, saved: Readonly<Record<string, TorchEntry>>): void {
    const given = Object.fromEntries(
      Object.entries(lbfgsKeys).flatMap(([name, key]): [string, unknown][] => {
        const value: unknown = Object.entries(options).find(([other]) => other === key)?.[1]
        return value === undefined ? [] : [[name, value === 'strong_wolfe' ? 'strongWolfe' : value]]
      }),
    )
    const complete = completeLbfgs(what, { ...this.#options, ...given })
    const { func_evals: evaluations = 0, n_iter: iterations = 0 } = saved
    tidy(() => {
      const size = this.params.reduce((sum, param) => sum + param.size, 0)
      const memory = loadMemory(saved, size, this.params[0]?.dtype ?? 'float32', differences)
      refuse(what, differences)
      for (const item of memory === null ? [] : tensorsOf(memory)) item.keep()
      this.dispose()
      this.#memory = memory
    })
    this.#options = complete
    this.#evaluations = Number(evaluations)
    this.#iterations = Number(iterations)
  }
}

const torchKey = (name: string): string => Object.entries(lbfgsKeys).find(([own]) => own === name)?.[1] ?? name

const begun = (grad: Tensor<DType>, loss: number): Memory => ({
  direction: grad.neg(),
  length: 0,
  changes: [],
  moves: [],
  inverses: [],
  scale: tensor(1, { dtype: grad.dtype }),
  gradient: grad,
  loss,
})

const largest = (x: Tensor<DType>): number => tidy(() => Number(x.abs().amax().itemSync()))

function lossOf(loss: Tensor<DType> | number): number {
  if (typeof loss === 'number') return loss
  if (loss instanceof Tensor && loss.size === 1) return Number(loss.itemSync())
  throw new FirnError('argument', 'lbfgs: the closure must give the loss, a number or a tensor of one element, and not a promise')
}
