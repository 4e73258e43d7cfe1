// What a binding offers: flat functions over numbers, handles and typed arrays.
import type { NativeOps } from './ops.gen.ts'

/** A binding to the core. A handle is a number above 0; 0 stands for none. */
export interface Native extends NativeOps {
  install(thrower: (code: string, message: string) => never, isMainThread: boolean): void
  info(): { version: string; features: string[]; devices: string[]; threads: number; simd: string }
  resolveDevice(name: string): string

  fromBytes(bytes: Uint8Array, shape: Uint32Array, dtype: number): number
  full(shape: Uint32Array, value: number, dtype: number): number
  arange(start: number, end: number, step: number, dtype: number): number
  /** `[dtype, ...shape]`. */
  describe(handle: number): number[]
  /** The elements in row-major order, little-endian. */
  read(handle: number): Uint8Array
  assign(to: number, from: number): void
  detach(handle: number): number
  deviceOf(handle: number): string

  randomUniform(shape: Uint32Array, low: number, high: number, dtype: number): number
  randomNormal(shape: Uint32Array, mean: number, std: number, dtype: number): number
  randomBernoulli(shape: Uint32Array, p: number, dtype: number): number
  randomInt(shape: Uint32Array, low: number, high: number, dtype: number): number
  randomPermutation(n: number): number
  /** `[seed low, seed high, calls]`. */
  randomState(): number[]
  setRandomState(seedLow: number, seedHigh: number, calls: number): void

  free(handles: Uint32Array): void
  freeOne(handle: number): void
  isLive(handle: number): boolean
  keep(handle: number): void
  scopeBegin(): number
  scopeEnd(scope: number): void
  scopeEndExcept(scope: number, survivors: Uint32Array): void
  /** `[handles, tensors, bytes]`. */
  memory(): number[]

  requiresGrad(handle: number): boolean
  setRequiresGrad(handle: number, requiresGrad: boolean): void
  gradOf(handle: number): number
  setGrad(handle: number, grad: number): void
  /** `flags`: 1 keeps the graph, 2 puts the pass on the tape. */
  backward(handle: number, gradient: number, flags: number): void
  gradients(outputs: Uint32Array, starts: Uint32Array, inputs: Uint32Array, retainGraph: boolean, createGraph: boolean): number[]
  setGradEnabled(enabled: boolean): boolean
  isGradEnabled(): boolean

  /**
   * Steps every parameter that has a gradient, in one pass. `state` holds a row of slots for each parameter, 0 where there is none yet,
   * and `steps` a count for each: both are written. `counts` are the sizes of the groups, `options` those of each after one another, and
   * `settings` `[gradScale, clipNorm, normType, clipValue, averageWeight]`, where clipping and averages are off at 0. `flags`: 1 drops the
   * gradients afterwards, 2 takes the plain form, 4 does nothing where a gradient is not finite. Gives `[norm, finite]`: the norm before
   * clipping, NaN when it was not needed, and 0 where nothing was done.
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
  gradNorm(params: Uint32Array, p: number): number
  scaleGrads(params: Uint32Array, factor: number): void
  clampGrads(params: Uint32Array, limit: number): void
  zeroGrads(params: Uint32Array): void

  /** `metadata` is a JSON object of strings, or empty. */
  safetensorsEncode(names: string[], handles: Uint32Array, metadata: string): Uint8Array
  safetensorsDecode(bytes: Uint8Array): { names: string[]; handles: number[]; metadata: string }
}
