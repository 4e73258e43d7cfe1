// GradScaler: keeps the gradients of losses computed in float16 in its range, by a scale that follows what overflows.
import { native } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import type { BoundOptimizer, LossScale, Skipped, Stepped } from '../optim/index.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import { defaults, type GradScalerOptions, readOptions, readState, type ScalerOptions, type ScalerState } from './scalerState.ts'

/** What was done for an optimizer since the last `update`. */
interface Done {
  readonly stage: 'unscaled' | 'stepped'
  /** Null where no parameter had a gradient. */
  readonly finite: boolean | null
}

/**
 * Multiplies losses by a scale, so that gradients in float16 do not vanish, and takes it out of the gradients before a step. A step
 * whose gradients are not finite is skipped and lowers the scale; many good ones in a row raise it. The rules are PyTorch's.
 *
 * @example
 * const w = tensor([1], { requiresGrad: true })
 * const opt = optim.sgd({ lr: 1 }).bind([w])
 * const scaler = new GradScaler({ initScale: 4 })
 * scaler.scale(w.mul(3).sum()).backward()
 * w.grad // [12]
 * scaler.step(opt)
 * scaler.update()
 * w // [-2]
 */
export class GradScaler implements LossScale {
  /** Without it every method does what an optimizer alone would. */
  readonly enabled: boolean
  readonly #options: ScalerOptions
  #scale: number
  #growthTracker = 0
  #hysteresisTracker: number
  /** PyTorch's scale comes to be with the first `scale`, and what needs it earlier is an error. */
  #begun = false
  #found: boolean | null = null
  #done = new Map<BoundOptimizer, Done>()

  constructor(options: GradScalerOptions = {}) {
    checkOptions('GradScaler', options, [...Object.keys(defaults), 'enabled'])
    const { enabled = true, ...given } = options
    this.enabled = enabled
    this.#options = readOptions(given)
    this.#scale = Math.fround(this.#options.initScale)
    this.#hysteresisTracker = this.#options.hysteresis
  }

  /** The loss, or each of a list, multiplied by the scale. @example new GradScaler({ initScale: 8 }).scale(tensor(2)).itemSync() // 16 */
  scale<D extends DType>(loss: Tensor<D>): Tensor<D>
  scale<D extends DType>(losses: readonly Tensor<D>[]): Tensor<D>[]
  scale<D extends DType>(loss: Tensor<D> | readonly Tensor<D>[]): Tensor<D> | Tensor<D>[] {
    if (isList(loss)) return loss.map((one) => this.scale(one))
    if (!this.enabled) return loss
    this.#begun = true
    return loss.mul(this.#scale)
  }

  /**
   * Takes the scale out of an optimizer's gradients, so that they can be clipped or looked at before `step`. Once for each optimizer between
   * two updates, when all gradients of the step are there.
   *
   * @example
   * const w = tensor([1], { requiresGrad: true })
   * const opt = optim.sgd({ lr: 1 }).bind([w])
   * const scaler = new GradScaler()
   * scaler.scale(w.mul(3).sum()).backward()
   * scaler.unscale(opt)
   * optim.clipGradNorm([w], 1)
   * scaler.step(opt)
   * scaler.update()
   * w // [0]
   */
  unscale(optimizer: BoundOptimizer): void {
    if (!this.enabled) return
    this.#needScale('unscale')
    const stage = this.#done.get(optimizer)?.stage
    if (stage === 'unscaled') throw new FirnError('autograd', 'unscale: was called for this optimizer already since the last update()')
    if (stage === 'stepped')
      throw new FirnError('autograd', 'unscale: comes before step() for an optimizer, and it has stepped; call update() first')
    refuseHalf(optimizer)
    const handles = Uint32Array.from(optimizer.paramGroups.flatMap(({ params }) => params.map(({ handle }) => handle)))
    const finite = native.unscaleGrads(handles, this.#inverse)
    this.#done.set(optimizer, { stage: 'unscaled', finite })
    this.record(finite)
  }

  /**
   * Steps an optimizer, unless a gradient is not finite: then parameters, state, counts and schedules stay as they are. Gradients are
   * unscaled by then, if `unscale` was not called. Once for each optimizer between two updates.
   *
   * @example
   * const w = tensor([1], { requiresGrad: true })
   * const opt = optim.sgd({ lr: 1 }).bind([w])
   * const scaler = new GradScaler()
   * scaler.scale(w.mul(Infinity).sum()).backward()
   * scaler.step(opt).kind // 'skipped'
   * w // [1]
   */
  step(optimizer: BoundOptimizer): Stepped | Skipped {
    if (!this.enabled) return optimizer.step()
    this.#needScale('step')
    const before = this.#done.get(optimizer)
    if (before?.stage === 'stepped') throw new FirnError('autograd', 'step: was called for this optimizer already since the last update()')
    if (before?.finite === null || !hasGradients(optimizer)) {
      this.#done.set(optimizer, { stage: 'unscaled', finite: null })
      throw new FirnError('autograd', 'step: no parameter of this optimizer has a gradient; call scale(loss).backward() first')
    }
    // Updaters run before a step and only if there is one, so the gradients come first.
    if (before === undefined && optimizer.optimizer.updaters.length > 0) this.unscale(optimizer)
    const result = optimizer.stepScaled(this)
    this.#done.set(optimizer, { stage: 'stepped', finite: result.kind === 'stepped' })
    return result
  }

  /**
   * Sets the scale for the next iteration: lower if a gradient was not finite, higher after `growthInterval` iterations without, or
   * `newScale`. Comes once, after the steps of all optimizers.
   * @throws FirnError 'autograd' when no gradient was looked at, and when the scale would fall below `minScale`
   */
  update(newScale?: number): void {
    if (!this.enabled) return
    this.#needScale('update')
    if (newScale !== undefined) {
      if (!(newScale > 0)) throw new FirnError('argument', `update: newScale must be a number > 0, got ${newScale}`)
      this.#scale = Math.fround(newScale)
    } else if (this.#found === null) {
      throw new FirnError('autograd', 'update: no gradients were looked at since the last update(); call step() or unscale() first')
    } else if (this.#found) {
      this.#backOff()
    } else {
      this.#grow()
    }
    this.#found = null
    this.#done = new Map()
  }

  /** Whether a gradient since the last `update` was not finite; null where none was looked at. @internal */
  get found(): boolean | null {
    return this.#found
  }

  /** `loadStateDict` in the middle of an iteration: with what was found in it. @internal */
  resume(state: object, found: boolean | null): void {
    this.loadStateDict(state)
    this.#found = found
    this.#begun = true
  }

  /** The scale; 1 where the scaler is disabled. @example new GradScaler().getScale() // 65536 */
  getScale(): number {
    return this.enabled ? this.#scale : 1
  }

  /** What the scale is multiplied by to raise it. @example new GradScaler().growthFactor // 2 */
  get growthFactor(): number {
    return this.#options.growthFactor
  }

  set growthFactor(growthFactor: number) {
    Object.assign(this.#options, readOptions({ ...this.#options, growthFactor }))
  }

  /** What the scale is multiplied by to lower it. @example new GradScaler().backoffFactor // 0.5 */
  get backoffFactor(): number {
    return this.#options.backoffFactor
  }

  set backoffFactor(backoffFactor: number) {
    Object.assign(this.#options, readOptions({ ...this.#options, backoffFactor }))
  }

  /** Iterations in a row without infinities that raise the scale. @example new GradScaler().growthInterval // 2000 */
  get growthInterval(): number {
    return this.#options.growthInterval
  }

  set growthInterval(growthInterval: number) {
    Object.assign(this.#options, readOptions({ ...this.#options, growthInterval }))
  }

  /**
   * The state under PyTorch's names, to be saved after `update`; `{}` where the scaler is disabled.
   * @example
   * new GradScaler().stateDict()['growth_interval'] // 2000
   */
  stateDict(): ScalerState | Record<string, never> {
    if (!this.enabled) return {}
    const { growthFactor, backoffFactor, growthInterval, hysteresis, minScale } = this.#options
    return {
      scale: this.#scale,
      growth_factor: growthFactor,
      backoff_factor: backoffFactor,
      growth_interval: growthInterval,
      _growth_tracker: this.#growthTracker,
      hysteresis,
      min_scale: minScale,
      _hysteresis_tracker: this.#hysteresisTracker,
    }
  }

  /** Takes over what `stateDict` gave, here or in PyTorch; what a state does not have stays. A disabled scaler takes nothing. */
  loadStateDict(state: object): void {
    if (!this.enabled) return
    const { scale, growthTracker, hysteresisTracker, ...options } = readState(state, this.#options)
    Object.assign(this.#options, options)
    this.#scale = scale
    this.#growthTracker = growthTracker
    this.#hysteresisTracker = hysteresisTracker
  }

  /** @internal */
  begin(optimizer: BoundOptimizer): { readonly factor: number; readonly finite: boolean | null } {
    if (!this.enabled) return { factor: 1, finite: true }
    const done = this.#done.get(optimizer)
    if (done?.stage === 'unscaled') {
      this.#done.delete(optimizer)
      return { factor: 1, finite: done.finite ?? true }
    }
    this.#needScale('step')
    refuseHalf(optimizer)
    return { factor: this.#inverse, finite: null }
  }

  /** @internal */
  record(finite: boolean | null): void {
    if (finite !== null) this.#found = this.#found === true || !finite
  }

  get #inverse(): number {
    return Math.fround(1 / this.#scale)
  }

  #needScale(what: string): void {
    if (!this.#begun) throw new FirnError('autograd', `${what}: there is no scale yet; use scale(loss).backward() earlier in the iteration`)
  }

  // PyTorch's _amp_update_scale_; hysteresis and minScale as in DeepSpeed's DynamicLossScaler.
  #backOff(): void {
    const { backoffFactor, minScale } = this.#options
    this.#growthTracker = 0
    if (this.#hysteresisTracker > 1) {
      this.#hysteresisTracker -= 1
      return
    }
    if (minScale > 0 && this.#scale <= minScale) {
      throw new FirnError(
        'autograd',
        `update: gradients overflow with the scale at minScale ${minScale}; training diverges, or a gradient is not finite for another reason`,
      )
    }
    this.#scale = Math.fround(Math.max(this.#scale * backoffFactor, minScale))
  }

  #grow(): void {
    const { growthFactor, growthInterval, hysteresis } = this.#options
    this.#growthTracker += 1
    if (this.#growthTracker !== growthInterval) return
    const grown = Math.fround(this.#scale * growthFactor)
    if (Number.isFinite(grown)) this.#scale = grown
    this.#growthTracker = 0
    this.#hysteresisTracker = hysteresis
  }
}

const isList = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value)

const hasGradients = ({ paramGroups }: BoundOptimizer): boolean =>
  paramGroups.some(({ params }) => params.some((param) => param.grad !== null))

function refuseHalf(optimizer: BoundOptimizer): void {
  for (const { names, params } of optimizer.paramGroups) {
    const at = params.findIndex((param) => param.dtype === 'float16' && param.grad !== null)
    if (at < 0) continue
    throw new FirnError(
      'dtype',
      `unscale: the gradient of '${names[at] ?? at}' is float16, where small numbers are lost; keep parameters in float32 and compute under autocast()`,
    )
  }
}
