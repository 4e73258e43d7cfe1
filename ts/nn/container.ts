// Modules that hold other modules in a row.
import { FirnError } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import { Module, partHolder } from './module.ts'

type AnyTensor = Tensor<DType>

/** What can stand in a `Sequential`: a module of one input, or a function. */
export type Stage = (Module & { forward(x: never): AnyTensor }) | ((x: Tensor) => AnyTensor)

type Input<S> = S extends { forward(x: infer I extends AnyTensor): unknown }
  ? I
  : S extends (x: infer I extends AnyTensor) => unknown
    ? I
    : never
type Output<S> = S extends { forward(x: never): infer O extends AnyTensor }
  ? O
  : S extends ((x: never) => infer O extends AnyTensor)
    ? O
    : never
type FirstInput<S extends readonly unknown[]> = S extends readonly [infer Head, ...unknown[]] ? Input<Head> : Input<S[number]>
type LastOutput<S extends readonly unknown[]> = S extends readonly [...unknown[], infer Last] ? Output<Last> : Output<S[number]>

/** The stages, each with the demand that it takes what the one before it makes. */
type Chained<S extends readonly unknown[], Given> = S extends readonly [infer Head, ...infer Tail]
  ? readonly [Given extends Input<Head> ? Head : { forward(x: Given): AnyTensor }, ...Chained<Tail, Output<Head>>]
  : S

interface Link extends Module {
  forward(x: AnyTensor): AnyTensor
}

/** A function as a module without parameters. */
class Lambda extends Module {
  readonly fn: (x: Tensor) => AnyTensor

  constructor(fn: (x: Tensor) => AnyTensor) {
    super()
    this.fn = fn
  }

  override forward(x: Tensor): AnyTensor {
    return this.fn(x)
  }

  override extraRepr(): string {
    return this.fn.name || String(this.fn)
  }
}

/** Runs its stages one after the other, each on what the one before returned; names in state dicts are positions: `0.weight`. */
export class Sequential<const S extends readonly Stage[]> extends Module {
  readonly #stages: readonly Link[]

  /**
   * Stages are modules and functions; each must take the dtype that the one before it makes.
   *
   * @example
   * const mlp = new nn.Sequential(new nn.Linear(784, 128), (x) => x.relu(), new nn.Linear(128, 10))
   */
  constructor(...stages: S & Chained<S, FirstInput<S>>) {
    super()
    this.#stages = stages.map((stage): Link => (typeof stage === 'function' ? new Lambda(stage) : stage))
  }

  override forward(x: FirstInput<S>): LastOutput<S>
  override forward(x: AnyTensor): AnyTensor {
    return this.#stages.reduce((value, stage) => stage.forward(value), x)
  }

  protected override get [partHolder](): object {
    return this.#stages
  }
}

/** A list of modules, found under their positions; unlike an array in a field it prints and has `children()`. */
export class ModuleList<M extends Module = Module> extends Module {
  readonly #modules: M[]

  /**
   * @example
   * class Tower extends nn.Module {
   *   readonly blocks = new nn.ModuleList([new Block(), new Block()])
   *   forward(x: Tensor) {
   *     for (const block of this.blocks) x = block.forward(x)
   *     return x
   *   }
   * }
   */
  constructor(modules: Iterable<M> = []) {
    super()
    this.#modules = [...modules]
  }

  get length(): number {
    return this.#modules.length
  }

  /** The module at `index`, from the end if negative. */
  at(index: number): M | undefined {
    return this.#modules.at(index)
  }

  /** Appends a module. */
  push(module: M): this {
    this.#modules.push(module)
    return this
  }

  [Symbol.iterator](): Iterator<M> {
    return this.#modules[Symbol.iterator]()
  }

  override forward(): never {
    throw new FirnError('argument', 'ModuleList: a list has no forward; call its modules one by one')
  }

  protected override get [partHolder](): object {
    return this.#modules
  }
}
