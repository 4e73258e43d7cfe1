// A node: named work, with hooks for each part of an iteration, an epoch and a run.
import { FirnError } from '../errors.ts'
import type { Json, StateTree } from '../io/index.ts'
import type { CacheAccess } from './cache.ts'
import { isNodeEvent, type NodeHooks, type Resources } from './hooks.ts'
import { move } from './move.ts'
import { RunMembers } from './runMembers.ts'

/** A node of any kind. */
export type AnyNode = Node<CacheAccess, unknown>

/**
 * A node of a graph. Its options hold hooks and resources; a resource is found on the node under its name, and tensors and modules in it are
 * moved to the node's device. Subclasses may override `forwardImpl`, the events except `forward`, `stateDict`, `loadStateDict`, `epochState`, `loadEpochState`
 * and `move`.
 *
 * @example
 * graph.add('scaled', new Node({ factor: 2, forward: (n, x) => x.loss.mul(n.factor) }))
 */
export class Node<C = CacheAccess, Out = undefined, R extends object = object> extends RunMembers {
  readonly #hooks: NodeHooks<Node<C, unknown>, C, Out>
  readonly #resources: string[] = []

  /** @param own names in `options` that a subclass reads itself */
  constructor(options: NodeHooks<Node<C, unknown> & R, C, Out> & Resources<R>, own: readonly string[] = []) {
    super()
    const kind = this.constructor.name
    if (this.forward !== Node.prototype.forward) {
      throw new FirnError('graph', `${kind}: forward() serves the kept output and cannot be overridden; override forwardImpl(x)`)
    }
    this.#hooks = options
    for (const [key, value] of Object.entries(options)) {
      if (own.includes(key)) continue
      if (isNodeEvent(key)) {
        if (typeof value !== 'function') throw new FirnError('argument', `${kind}: hook '${key}' is ${typeof value}, expected a function`)
      } else {
        if (key in this) throw new FirnError('argument', `${kind}: '${key}' is a member of every node; give the resource another name`)
        // Not configurable, so that a field of a subclass with this name is an error where it would overwrite the resource.
        Object.defineProperty(this, key, { value, writable: true, enumerable: true })
        this.#resources.push(key)
      }
    }
  }

  /** Iterations that this node has data for in an epoch; undefined when it sets no end. */
  get length(): number | undefined {
    return undefined
  }

  /** Samples that this node handed out since the epoch began. */
  get samples(): number {
    return 0
  }

  /** The node's output in this iteration: kept from before, or made now. Not to be overridden. */
  forward(): Out
  forward(): unknown {
    return this.graph.output(this.name)
  }

  /** Makes the output. @param x the outputs of the other nodes */
  forwardImpl(x: C): Out
  forwardImpl(x: C): unknown {
    return this.#hooks.forward?.(this, x)
  }

  /** Moves the resources to the device, then calls the hook. */
  prepare(): void | Promise<void> {
    for (const key of this.#resources) Reflect.set(this, key, this.move(Reflect.get(this, key)))
    return this.#hooks.prepare?.(this)
  }

  epochStart(): void | Promise<void> {
    return this.#hooks.epochStart?.(this)
  }

  backward(): void {
    return this.#hooks.backward?.(this)
  }

  update(): void {
    return this.#hooks.update?.(this)
  }

  epochEnd(): void | Promise<void> {
    return this.#hooks.epochEnd?.(this)
  }

  /** Closes what a task left open, at its end. */
  taskEnd(): void {}

  cleanUp(): void | Promise<void> {
    return this.#hooks.cleanUp?.(this)
  }

  /** What a checkpoint keeps of this node; null when there is nothing. */
  stateDict(): StateTree | Promise<StateTree> {
    return null
  }

  /** Takes over what `stateDict` gave. @returns what did not fit, a line each; with `strict` that is an error instead */
  loadStateDict(state: StateTree, strict: boolean): readonly string[] {
    if (state === null) return []
    const message = `${this.constructor.name} keeps no state, and was given some`
    if (strict) throw new FirnError('graph', message)
    return [message]
  }

  /** What the node has gathered since the epoch began; it is set aside while other tasks run in the middle of the epoch. */
  epochState(): Json | Promise<Json> {
    return null
  }

  /** Takes back what `epochState` gave. */
  loadEpochState(_state: Json): void {}

  /** Whether checkpoints keep anything of this node. */
  get keepsState(): boolean {
    return this.stateDict !== Node.prototype.stateDict
  }

  /** The data on the node's device: tensors and modules, also in lists and records. */
  move<T>(data: T, device: string = this.device): T {
    return move(data, device)
  }

  /** What of its options waits for training over several processes, in words; null for nothing. @internal */
  get waiting(): string | null {
    return null
  }

  /** Whether an optimizer of this node is within a window. @internal */
  get isAccumulating(): boolean {
    return false
  }

  /** What the next `forward` has to wait for; undefined when it may come at once. @internal */
  ready(): Promise<void> | undefined {
    return undefined
  }

  /** Whether anything happens in this phase, so that idle nodes cost nothing. @internal */
  actsIn(phase: 'backward' | 'update'): boolean {
    return this[phase] !== Node.prototype[phase] || this.#hooks[phase] !== undefined
  }
}
