// Module: a class whose fields are parameters, buffers and other modules; this file finds them, names them, saves and loads them.
import { autocast, type AutocastOptions } from '../autograd/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { type DType, type FloatDType, Tensor } from '../tensor/index.ts'
import { compareTensors, loadTensors, type LoadReport } from './load.ts'
import { moveTensor, type Place } from './move.ts'
import { Buffer, type OwnedTensor, Parameter } from './parameter.ts'
import { printModule } from './print.ts'

/** The object whose own fields are the parts: the module itself, or a container's list. A symbol, so that no field of a user hides it. */
export const partHolder: unique symbol = Symbol('partHolder')

/** A part of a module: where it is (`holder[field]`) and what it is called in names and state dicts. */
interface Part<T> {
  readonly key: string
  readonly value: T
  readonly holder: object
  readonly field: string
}

/**
 * Base of every layer and network. Parameters, buffers and modules are found by walking the own enumerable fields in the
 * order they were set, and arrays in them; their names are the fields' (`conv1.weight`, `blocks.0.bias`). Fields written
 * `private` are walked, `#private` ones are not. A plain tensor in a field is not part of the state: make it a `Parameter` or a `Buffer`.
 *
 * @example
 * class Mlp extends nn.Module {
 *   fc1 = new nn.Linear(784, 128)
 *   fc2 = new nn.Linear(128, 10)
 *   forward(x: Tensor) {
 *     return this.fc2.forward(this.fc1.forward(x).relu())
 *   }
 * }
 */
export abstract class Module {
  /** Whether the module behaves as in training (dropout drops, batch norm uses the batch); set by `train()` and `eval()`. */
  training = true

  abstract forward(...args: never[]): unknown

  /**
   * Lets `forward` of this module run under an `autocast` of its own: with `false` in full precision wherever it is called, where tensors
   * among the arguments that are half as wide are brought to float32 first. Gives the module itself.
   *
   * @example
   * const head = new nn.Linear(2, 2).autocast(false)
   * autocast(() => head.forward(ones([1, 2]))).dtype // 'float32'
   */
  autocast(region: AutocastOptions | false): this {
    const options = region === false ? { enabled: false } : region
    const given = options.enabled === false ? widened : (args: readonly unknown[]) => args
    const forward: unknown = Reflect.get(Object.getPrototypeOf(this), 'forward')
    if (typeof forward !== 'function') throw new FirnError('argument', 'module.autocast: the module has no method forward')
    const value = (...args: unknown[]): unknown => autocast(options, (): unknown => Reflect.apply(forward, this, given(args)))
    Object.defineProperty(this, 'forward', { value, configurable: true, writable: true })
    return this
  }

  /** What to print between the brackets after the module's name. */
  extraRepr(): string {
    return ''
  }

  protected get [partHolder](): object {
    return this
  }

  /**
   * Makes a buffer with a name of its own in state dicts; keep it in a field.
   *
   * @example
   * class Center extends nn.Module {
   *   readonly runningMean = this.registerBuffer('running_mean', zeros([8]))
   * }
   */
  protected registerBuffer<D extends DType>(key: string, value: Tensor<D>, options: { persistent?: boolean } = {}): Buffer<D> {
    return new Buffer(value, { ...options, key })
  }

  /** Every module of the tree with its name, this one first with the name ''; a shared module comes once. */
  namedModules(): [name: string, module: Module][] {
    return distinct(this.#tree())
  }

  /** Every module of the tree, this one first. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module)
  }

  /** The modules directly inside this one, with their names. */
  namedChildren(): [name: string, module: Module][] {
    return distinct(Array.from(this.#children(), ({ key, value }): [string, Module] => [key, value]))
  }

  /** The modules directly inside this one. */
  children(): Module[] {
    return this.namedChildren().map(([, module]) => module)
  }

  /** Every parameter of the tree with its dotted name; a shared parameter comes once, under its first name. */
  namedParameters(): [name: string, parameter: Parameter<FloatDType>][] {
    return distinct(this.#named()).filter((entry): entry is [string, Parameter<FloatDType>] => entry[1] instanceof Parameter)
  }

  /** Every parameter of the tree. */
  parameters(): Parameter<FloatDType>[] {
    return this.namedParameters().map(([, parameter]) => parameter)
  }

  /** Every buffer of the tree with its dotted name, also those that are not saved. */
  namedBuffers(): [name: string, buffer: Buffer<DType>][] {
    return distinct(this.#named()).filter((entry): entry is [string, Buffer<DType>] => entry[1] instanceof Buffer)
  }

  /** Every buffer of the tree. */
  buffers(): Buffer<DType>[] {
    return this.namedBuffers().map(([, buffer]) => buffer)
  }

  /** Puts the whole tree in training mode, or with `false` in evaluation mode. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode
    return this
  }

  /** Puts the whole tree in evaluation mode. */
  eval(): this {
    return this.train(false)
  }

  /** Stops every parameter from training: no gradient is computed for it, and the one it has is dropped. */
  freeze(): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = false
    return this
  }

  /** Lets every parameter train again. */
  unfreeze(): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = true
    return this
  }

  /**
   * Calls `fn` on every module of the tree, inner ones first.
   *
   * @example
   * model.apply((m) => { if (m instanceof nn.Linear) init.xavierUniform(m.weight) })
   */
  apply(fn: (module: Module) => void): this {
    for (const module of this.modules().toReversed()) fn(module)
    return this
  }

  /**
   * Moves the tree to another floating dtype or another device; buffers of whole numbers keep their dtype. The tensors are
   * replaced by new ones and freed, without their gradients: bind optimizers afterwards.
   *
   * @example
   * model.to('float64')
   */
  to(target: FloatDType | Place): this {
    const place = typeof target === 'string' ? { dtype: target } : target
    checkOptions(`${this.constructor.name}.to`, place, ['dtype', 'device'])
    const moved = new Map<OwnedTensor, OwnedTensor>()
    for (const { value, holder, field } of this.#owned()) {
      const replacement = moved.get(value) ?? moveTensor(value, place)
      moved.set(value, replacement)
      Reflect.set(holder, field, replacement)
    }
    for (const [before, after] of moved) if (before !== after) before.dispose()
    return this
  }

  /**
   * Parameters and saved buffers under PyTorch's names, as they are now: training on does not change what was returned.
   *
   * @example
   * await saveSafetensors('model.safetensors', model.stateDict())
   */
  stateDict(): Record<string, Tensor<DType>> {
    return Object.fromEntries(Array.from(this.#saved(), ([key, value]) => [key, value.detach()]))
  }

  /**
   * Takes values over from a state dict. Names, shapes and dtypes are all compared first: with `strict` (the default) any
   * difference is an error that lists every one, and nothing is loaded; without, what fits is loaded and the rest reported.
   *
   * @example
   * const { missing } = model.loadStateDict({ 'fc.bias': zeros([3]) }, { strict: false })
   * missing // ['fc.weight']
   */
  loadStateDict(state: Readonly<Record<string, Tensor<DType>>>, options: { strict?: boolean } = {}): LoadReport {
    return loadTensors(`${this.constructor.name}.loadStateDict`, this.#saved(), state, options)
  }

  /**
   * What `loadStateDict` would report of a state dict, without loading anything.
   *
   * @example
   * model.compareStateDict({ 'fc.bias': zeros([3]) }).missing // ['fc.weight']
   */
  compareStateDict(state: Readonly<Record<string, Tensor<DType>>>): LoadReport {
    return compareTensors(this.#saved(), state)
  }

  /** Frees the parameters and buffers of the tree; the module cannot be used afterwards. */
  dispose(): void {
    for (const { value } of this.#owned()) value.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  toString(): string {
    return printModule(this)
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return printModule(this)
  }

  *#children(): Generator<Part<Module>> {
    for (const part of partsOf(this[partHolder])) if (part.value instanceof Module) yield { ...part, value: part.value }
  }

  // A shared module is met once for every place it has.
  *#tree(name = '', above: readonly Module[] = []): Generator<[name: string, module: Module]> {
    if (above.includes(this)) throw new FirnError('argument', `${this.constructor.name}: a module contains itself, at '${name}'`)
    yield [name, this]
    for (const { key, value } of this.#children()) yield* value.#tree(name === '' ? key : `${name}.${key}`, [...above, this])
  }

  *#owned(): Generator<Part<OwnedTensor>> {
    for (const [name, module] of this.#tree()) {
      for (const part of partsOf(module[partHolder])) {
        if (part.value instanceof Module) continue
        yield { ...part, value: part.value, key: name === '' ? part.key : `${name}.${part.key}` }
      }
    }
  }

  *#named(): Generator<[name: string, value: OwnedTensor]> {
    for (const { key, value } of this.#owned()) yield [key, value]
  }

  #saved(): Map<string, OwnedTensor> {
    const saved = new Map<string, OwnedTensor>()
    for (const [key, value] of this.#named()) {
      if (value instanceof Buffer && !value.persistent) continue
      if (saved.has(key)) throw new FirnError('argument', `${this.constructor.name}: two tensors are called '${key}' in the state dict`)
      saved.set(key, value)
    }
    return saved
  }
}

function* partsOf(holder: object, prefix = ''): Generator<Part<OwnedTensor | Module>> {
  for (const [field, value] of Object.entries(holder)) {
    if (Array.isArray(value)) yield* partsOf(value, `${prefix}${field}.`)
    else if (value instanceof Parameter || value instanceof Module) yield { key: prefix + field, value, holder, field }
    else if (value instanceof Buffer) yield { key: prefix + (value.key ?? field), value, holder, field }
  }
}

function distinct<T>(entries: Iterable<[name: string, value: T]>): [name: string, value: T][] {
  const names = new Map<T, string>()
  for (const [name, value] of entries) if (!names.has(value)) names.set(value, name)
  return Array.from(names, ([value, name]) => [name, value])
}

/** Arguments of a forward, those in half precision in float32. */
const widened = (args: readonly unknown[]): readonly unknown[] =>
  args.map((arg) => (arg instanceof Tensor && (arg.dtype === 'float16' || arg.dtype === 'bfloat16') ? arg.to('float32') : arg))
