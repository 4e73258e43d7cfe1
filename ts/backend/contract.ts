// What a binding offers: flat functions over numbers, handles and typed arrays.
import type { NativeOps } from './ops.gen.ts'

/** Takes a scope of the core, which it ends, and handles made in it; gives false when it threw. */
type Callback = (scope: number, handles: readonly number[]) => boolean

/** A binding to the core. A handle is a number above 0; 0 stands for none. */
export interface Native extends NativeOps {
  install(thrower: (code: string, message: string) => never, isMainThread: boolean): void
  info(): { version: string; features: string[]; devices: string[]; threads: number; simd: string }
  /** Bytes a second of the triad `a = b + s * c` on all cores, over arrays of `bytes` together. */
  memoryBandwidth(bytes: number): number
  resolveDevice(name: string): string

  fromBytes(bytes: Uint8Array, shape: Uint32Array, dtype: number): number
  /** Refuses numbers that an integer dtype cannot hold. */
  fromNumbers(numbers: Float64Array, shape: Uint32Array, dtype: number): number
  full(shape: Uint32Array, value: number, dtype: number): number
  arange(start: number, end: number, step: number, dtype: number): number
  linspace(start: number, end: number, steps: number, dtype: number): number
  logspace(start: number, end: number, steps: number, base: number, dtype: number): number
  eye(rows: number, columns: number, dtype: number): number
  triangle(rows: number, columns: number, offset: number, upper: boolean): number
  /** `[dtype, ...shape]`. */
  describe(handle: number): number[]
  /** Writes the elements in row-major order, little-endian, into `to`, which has their size. */
  read(handle: number, to: Uint8Array): void
  /** The element of a tensor of size 1. */
  item(handle: number): number
  assign(to: number, from: number): void
  detach(handle: number): number
  deviceOf(handle: number): string

  randomUniform(shape: Uint32Array, low: number, high: number, dtype: number): number
  randomNormal(shape: Uint32Array, mean: number, std: number, dtype: number): number
  randomBernoulli(shape: Uint32Array, p: number, dtype: number): number
  randomInt(shape: Uint32Array, low: number, high: number, dtype: number): number
  randomBernoulliAt(p: number, dtype: number): number
  randomPermutation(n: number): number
  /** `law`: 0 exponential(a), 1 cauchy(a, b), 2 geometric(a). */
  randomLaw(shape: Uint32Array, law: number, a: number, b: number, dtype: number): number
  randomMultinomial(weights: number, count: number, replacement: boolean): number
  /** `[seed low, seed high, calls]`. */
  randomState(): number[]
  setRandomState(seedLow: number, seedHigh: number, calls: number): void
  /** `[seed low, seed high]` of a stream of a seed. */
  randomStream(seedLow: number, seedHigh: number, name: string): number[]

  free(handles: Uint32Array): void
  freeOne(handle: number): void
  isLive(handle: number): boolean
  keep(handle: number): void
  scopeBegin(): number
  scopeEnd(scope: number): void
  scopeEndExcept(scope: number, survivors: Uint32Array): void
  /** Opens a lane, a stack of scopes of its own, with one scope, and enters it. */
  laneBegin(): number
  /** Lets another lane note what is made; a handle that its code made just now, unless 0, moves over. */
  laneEnter(lane: number, handle: number): void
  /** Frees what a lane made and enters `heir`, to which the survivors go. */
  laneEnd(lane: number, survivors: Uint32Array, heir: number): void
  /** `[handles, tensors, bytes, peak bytes]`. */
  memory(): number[]
  resetPeak(): void

  requiresGrad(handle: number): boolean
  setRequiresGrad(handle: number, requiresGrad: boolean): void
  gradOf(handle: number): number
  setGrad(handle: number, grad: number): void
  /** `flags`: 1 keeps the graph, 2 puts the pass on the tape. */
  backward(handle: number, gradient: number, flags: number): void
  backwardFrom(roots: Uint32Array, starts: Uint32Array, flags: number): void
  gradients(outputs: Uint32Array, starts: Uint32Array, inputs: Uint32Array, retainGraph: boolean, createGraph: boolean): number[]
  setGradEnabled(enabled: boolean): boolean
  isGradEnabled(): boolean
  /** Opens a region whose low dtype has this code, or one without autocast; gives what was before, for `autocastLeave`. */
  autocastEnter(enabled: boolean, dtype: number, cache: boolean): number
  autocastLeave(before: number): void
  isAutocastEnabled(): boolean
  isLeaf(handle: number): boolean
  retainGrad(handle: number): void
  /** Hooks get a number, with which they are removed. */
  registerHook(handle: number, hook: Callback): number
  registerPostHook(handle: number, hook: Callback): number
  removeHook(handle: number, number: number): void
  /** What the callback under way returns, 0 for none. */
  answer(handles: Uint32Array): void
  /** Records a function; `backward` gets the gradients of the outputs and then what was saved. Gives the outputs' handles. */
  customFunction(inputs: Uint32Array, outputs: Uint32Array, constant: boolean[], saved: Uint32Array, backward: Callback): number[]
  /** Whether what follows, up to `checkpointEnd`, will be made again by `again`. */
  checkpointBegin(inputs: Uint32Array, again: Callback): boolean
  checkpointEnd(): void
  /** `mode`: 1 searches gradients for NaN, 2 results too; gives what it was. */
  setAnomaly(mode: number, site: () => string): number

  /**
   * Steps every parameter that has a gradient, in one pass. `state` holds a row of slots for each parameter, 0 where there is none yet,
   * and `steps` a count for each: both are written. `counts` are the sizes of the groups, `options` those of each after one another, and
   * `settings` `[gradScale, clipNorm, normType, clipValue, averageWeight]`, where clipping and averages are off at 0. `flags`: 1 drops the
   * gradients afterwards, 2 takes the plain form, 4 does nothing where a gradient is not finite, and leaves gradients that are not dropped multiplied by
   * `gradScale`. Gives `[norm, finite, count]`: the norm before clipping, NaN when it was not needed; 0 where a gradient was not finite
   * and nothing was done; how many parameters had a gradient.
   */
  optimizerStep(
    rule: number,
    params: Uint32Array,
    state: Uint32Array,
    steps: Float64Array,
    counts: Uint32Array,
    options: Float64Array,
    settings: Float64Array,
    flags: number,
  ): number[]
  gradsAreFinite(params: Uint32Array): boolean
  /** Multiplies all gradients by `factor`; gives whether they were finite, null where there are none. */
  unscaleGrads(params: Uint32Array, factor: number): boolean | null
  gradNorm(params: Uint32Array, p: number): number
  scaleGrads(params: Uint32Array, factor: number): void
  clampGrads(params: Uint32Array, limit: number): void
  zeroGrads(params: Uint32Array): void

  /** `metadata` is a JSON object of strings, or empty. */
  safetensorsEncode(names: string[], handles: Uint32Array, metadata: string): Uint8Array
  safetensorsDecode(bytes: Uint8Array): { names: string[]; handles: number[]; metadata: string }
}
