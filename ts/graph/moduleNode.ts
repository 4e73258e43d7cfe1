// A module as a node: what of it trains, by which optimizers, and when they step.
import { noGrad } from '../autograd/index.ts'
import { tensorsIn } from '../data/index.ts'
import { FirnError } from '../errors.ts'
import type { StateTree } from '../io/index.ts'
import { type LoadReport, Module } from '../nn/index.ts'
import { type BoundOptimizer, Optimizer, type UpdateContext, type UpdateResult } from '../optim/index.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import { placeOf } from './board.ts'
import { type DistributedOptions, distributedNames, readDistributed, waitingOptions } from './distributed.ts'
import type { Moment } from './events.ts'
import type { NodeHooks, Resources } from './hooks.ts'
import { Node } from './node.ts'
import { claimParameters } from './patterns.ts'
import { copyState, savedRecord, savedTensors } from './savedState.ts'

/** Options of a `ModuleNode`; everything else in them is a hook or a resource. */
export interface ModuleNodeOptions<M extends Module> extends DistributedOptions {
  readonly module: M
  /**
   * Who trains what: one optimizer for all parameters, or one for each pattern. A pattern is a regular expression that has to match
   * the beginning of a parameter's name. What no pattern matches stays as it is. @default nothing trains
   */
  readonly optimizers?: Optimizer | Readonly<Record<string, Optimizer>>
  /** Sets the module's first values, without gradients. */
  readonly weightInit?: (module: M) => void
}

/**
 * Runs a module and trains it. Several nodes under different tags may share one module with different optimizers: which parameters
 * train is settled when a task begins. Optimizers step when their window of iterations is full; one that is not is closed, with the
 * right divisor, at the end of an epoch and of a task.
 *
 * @example
 * graph.add('net', new ModuleNode({
 *   module: new Net(),
 *   forward: (n, x) => n.module.forward(x.mnist.image),
 *   optimizers: { '^conv': optim.sgd({ lr: 0.01, momentum: 0.9 }), '^fc': optim.adamW({ lr: 1e-3 }) },
 * }))
 */
export class ModuleNode<C, M extends Module, Out, R extends object = object> extends Node<C, Out, R> {
  readonly module: M
  /** How several processes are to train the module; what is set here waits for them, and a run of one process says so. */
  readonly distributed: Required<DistributedOptions>
  readonly #optimizers: ReadonlyMap<string, Optimizer>
  /** Names of the parameters that train, by pattern. */
  readonly #claims: ReadonlyMap<string, readonly string[]>
  readonly #bound = new Map<string, BoundOptimizer>()
  #warned = false
  /** Saved states whose pattern is not at work here (yet); kept so that a later stage finds its moments again. */
  readonly #held = new Map<string, StateTree>()

  constructor(options: ModuleNodeOptions<M> & NodeHooks<ModuleNode<C, M, unknown> & R, C, Out> & Resources<R>) {
    super(options, ['module', 'optimizers', 'weightInit', ...distributedNames])
    this.distributed = readDistributed(this.constructor.name, options)
    const { module, optimizers = {}, weightInit } = options
    checkMembers(this.constructor.name, module, optimizers)
    this.module = module
    this.#optimizers = new Map(optimizers instanceof Optimizer ? [['.*', optimizers]] : Object.entries(optimizers))
    this.#claims = claimParameters(
      [...this.#optimizers.keys()],
      module.namedParameters().map(([name]) => name),
    )
    if (weightInit !== undefined) noGrad(() => weightInit(module))
    module.freeze()
  }

  /** The optimizers at work, by pattern; empty before the node has trained. */
  get optimizers(): ReadonlyMap<string, BoundOptimizer> {
    return this.#bound
  }

  override get waiting(): string | null {
    return waitingOptions(this.distributed)
  }

  /** The parameters that this node's optimizers train. */
  get trainable(): ReadonlySet<Tensor<DType>> {
    const names = new Set([...this.#claims.values()].flat())
    return new Set(
      this.module
        .namedParameters()
        .filter(([name]) => names.has(name))
        .map(([, parameter]) => parameter),
    )
  }

  /** Sets the mode of the module and what of it trains. */
  override prepare(): void | Promise<void> {
    this.move(this.module)
    this.module.train(this.training)
    const owners = this.training ? this.#owners() : undefined
    for (const parameter of this.module.parameters()) {
      parameter.requiresGrad = owners?.has(parameter) === true
      if (!parameter.requiresGrad) parameter.grad = null
    }
    if (this.training) this.#bind()
    this.#warn()
    return super.prepare()
  }

  override get isAccumulating(): boolean {
    return [...this.#bound.values()].some((optimizer) => optimizer.isAccumulating)
  }

  override update(): void {
    if (this.training) {
      const { lossWeight: weight } = this.graph
      for (const [pattern, optimizer] of this.#bound) {
        const progress = this.#progress(optimizer)
        this.#tell(pattern, optimizer, optimizer.update(weight === undefined ? progress : { ...progress, weight }))
      }
    }
    super.update()
  }

  override epochEnd(): void | Promise<void> {
    this.taskEnd()
    return super.epochEnd()
  }

  override taskEnd(): void {
    if (!this.training) return
    for (const [pattern, optimizer] of this.#bound) this.#tell(pattern, optimizer, optimizer.flush(this.#progress(optimizer)))
  }

  /** Module and optimizers, these by pattern and parameter name, those of other stages included. */
  override stateDict(): StateTree {
    const held = [...this.#held].map(([pattern, state]) => [pattern, copyState(state)] as const)
    const bound = [...this.#bound].map(([pattern, optimizer]) => [pattern, optimizer.stateDict()] as const)
    return { module: this.module.stateDict(), optimizers: Object.fromEntries([...held, ...bound]) }
  }

  override loadStateDict(state: StateTree, strict: boolean): readonly string[] {
    const what = this.constructor.name
    const { module, optimizers } = savedRecord(what, state)
    const report = this.module.loadStateDict(savedTensors(what, module), { strict })
    for (const [pattern, saved] of Object.entries(savedRecord(what, optimizers))) {
      const optimizer = this.#bound.get(pattern)
      if (optimizer === undefined) this.#hold(pattern, copyState(saved))
      else optimizer.loadStateDict(savedRecord(what, saved))
    }
    return differences(report)
  }

  // Who trains each parameter in this task: nodes may share a module, or parts of one.
  #owners(): ReadonlyMap<Tensor<DType>, string> {
    const owners = new Map<Tensor<DType>, string>()
    for (const [name, node] of this.allNodes) {
      for (const parameter of node instanceof ModuleNode ? node.trainable : []) {
        const other = owners.get(parameter)
        if (other !== undefined) {
          throw new FirnError('graph', `nodes '${other}' and '${name}' train the same parameter; one optimizer may, in one task`)
        }
        owners.set(parameter, name)
      }
    }
    return owners
  }

  // One process has nothing to distribute; said once, lest a setting seem to work.
  #warn(): void {
    const waiting = this.waiting
    if (waiting === null || this.#warned || this.launcher.worldSize > 1) return
    this.#warned = true
    console.warn(`node '${this.name}': ${waiting}: this waits for training over several processes; in one process it changes nothing`)
  }

  #bind(): void {
    if (this.#bound.size > 0 || this.#optimizers.size === 0) return
    const parameters = this.module.namedParameters()
    for (const [pattern, optimizer] of this.#optimizers) {
      const names = this.#claims.get(pattern) ?? []
      if (names.length === 0) continue
      const bound = optimizer.bind(parameters.filter(([name]) => names.includes(name)))
      this.#bound.set(pattern, bound)
      const saved = this.#held.get(pattern)
      if (saved === undefined) continue
      bound.loadStateDict(savedRecord(this.constructor.name, saved))
      this.#release(pattern)
    }
    this.graph.context.events.emit('optimizers', () => ({ node: this.name, optimizers: Object.fromEntries(this.#bound) }))
  }

  #hold(pattern: string, state: StateTree): void {
    this.#release(pattern)
    this.#held.set(pattern, state)
  }

  #release(pattern: string): void {
    for (const tensor of tensorsIn(this.#held.get(pattern))) tensor.dispose()
    this.#held.delete(pattern)
  }

  #tell(pattern: string, optimizer: BoundOptimizer, result: UpdateResult | null): void {
    if (result === null || result.kind === 'accumulating') return
    const { context } = this.graph
    const at = () => ({ ...placeOf(context), node: this.name, pattern })
    const moment = this.#moment(optimizer)
    const lr = () => optimizer.paramGroups.map((group) => group.lr)
    context.events.emit('update', () => ({ ...at(), result, lr: lr(), lossScale: this.gradScaler?.getScale() ?? null }), moment)
    if (result.kind === 'skipped' || result.gradNorm === null) return
    const { gradNorm } = result
    context.events.emit('gradNorm', () => ({ ...at(), value: gradNorm }), moment)
  }

  // An update stands for all iterations of its window.
  #moment({ optimizer }: BoundOptimizer): Moment {
    return { tick: this.globalTrainSteps, span: optimizer.accumulate ?? this.gradAccSteps }
  }

  #progress(optimizer: BoundOptimizer): UpdateContext {
    const { gradAccSteps, gradScaler, epochSize } = this
    const window = optimizer.optimizer.accumulate ?? gradAccSteps
    return {
      node: this,
      measureNorm: this.graph.context.events.listens('gradNorm', this.#moment(optimizer)),
      gradAccSteps,
      ...(gradScaler === null ? {} : { gradScaler }),
      currentEpoch: this.globalTrainEpochs,
      epochSteps: Math.floor(this.epochSteps / window),
      epochSize: epochSize === 0 ? null : Math.ceil(epochSize / window),
    }
  }
}

// Seen where types are not checked; the errors would be of something further in.
function checkMembers(what: string, module: unknown, optimizers: object): void {
  if (!(module instanceof Module)) throw new FirnError('argument', `${what}: 'module' is ${describe(module)}, expected an nn.Module`)
  const given = optimizers instanceof Optimizer ? [] : Object.entries(optimizers)
  const other = given.find(([, optimizer]) => !(optimizer instanceof Optimizer))
  if (other === undefined) return
  throw new FirnError(
    'argument',
    `${what}: optimizers: '${other[0]}' has ${describe(other[1])}, expected an optimizer such as optim.adamW({ lr: 1e-3 })`,
  )
}

const describe = (value: unknown): string => (value instanceof Object ? value.constructor.name : String(value))

const differences = ({ missing, unexpected, mismatched }: LoadReport): string[] => [
  ...missing.map((key) => `missing: ${key}`),
  ...unexpected.map((key) => `unexpected: ${key}`),
  ...mismatched.map(({ key }) => `mismatched: ${key}`),
]
