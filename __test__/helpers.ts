// Fixtures and comparisons that several specs share.
import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import type { PlateauOptions, RuleName } from '../ts/optim/index.ts'
import { tensor, type DType, type Tensor } from '../ts/tensor/index.ts'

/** A number of a fixture; JSON has no others. */
export type Stored = number | 'NaN' | 'Infinity' | '-Infinity'

/** A tensor of a fixture. */
export interface StoredTensor {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly data: readonly Stored[]
}

export interface OpArg {
  readonly name: string
  readonly js: string
  readonly position: 'self' | 'positional' | 'option'
  readonly kind?: string
  readonly default?: string | null
}

/** An op as the manifest describes it; the fixture adds those of the methods that are written by hand. */
export interface OpRow {
  readonly name: string
  readonly js: string
  readonly faces: readonly ('method' | 'functional' | 'free' | 'linalg' | 'fft' | 'native')[]
  readonly example: readonly string[]
  readonly args: readonly OpArg[]
  readonly returns?: string
  readonly family?: string
  readonly torch?: string | null
  readonly check: { readonly kind: 'unary' | 'binary' | 'cases' } | { readonly kind: 'none'; readonly reason: string }
}

/** One call of an op by PyTorch; see scripts/fixtures/ops.py. */
export interface OpCase {
  readonly args: Readonly<Record<string, unknown>>
  readonly out: StoredTensor | readonly StoredTensor[]
  /** By argument, one list a tensor; 0 stands for zeros. */
  readonly grad?: Readonly<Record<string, readonly (readonly Stored[] | 0)[]>>
  readonly grad2?: Readonly<Record<string, readonly (readonly Stored[] | 0)[]>>
  readonly rtol?: number
  /** A tie, a kink or an infinity: no difference quotient there. */
  readonly edge?: true
}

/** What a column of the conformance table asks: cases of the op, one more case, or arguments that PyTorch refuses. */
export type ColumnCases = { readonly cases: readonly number[] } | { readonly case: OpCase } | { readonly refused: OpCase['args'] }

/** What PyTorch gives for the case `of` with inputs rounded to a half type. */
export interface HalfCase {
  readonly of: number
  readonly float16: readonly (readonly Stored[])[]
  readonly bfloat16: readonly (readonly Stored[])[]
}

export interface OpColumns {
  readonly 'zero-size'?: ColumnCases
  readonly '0-d'?: ColumnCases
  readonly broadcast?: ColumnCases
  readonly half?: HalfCase
}

interface LayerCase {
  readonly layer: string
  readonly options: Readonly<Record<string, unknown>>
  readonly state: Readonly<Record<string, StoredTensor>>
  readonly x: StoredTensor
  readonly out: StoredTensor
  readonly grad: Readonly<Record<string, readonly Stored[]>>
}

interface BatchNormStep extends Pick<LayerCase, 'x' | 'out' | 'state' | 'grad'> {}

interface DTypeFixtures {
  readonly promotion: readonly (readonly [DType, DType, DType])[]
  /** By pair of dtypes, in the order of `promotion`. */
  readonly binary: readonly (readonly [op: string, results: readonly (DType | null)[]])[]
  readonly casts: readonly { readonly x: StoredTensor; readonly to: Readonly<Record<DType, readonly Stored[]>> }[]
  readonly integers: readonly {
    readonly x: StoredTensor
    readonly y: StoredTensor
    readonly out: Readonly<Partial<Record<'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'lt' | 'eq', readonly Stored[]>>>
    readonly neg: readonly Stored[]
    readonly abs: readonly Stored[]
    readonly cube: readonly Stored[] | null
  }[]
  readonly ranges: readonly (readonly [fn: string, a: number, b: number, c: number, dtype: DType, out: StoredTensor])[]
  readonly prints: readonly { readonly x: StoredTensor; readonly text: string }[]
}

/** What was asked of a scaler over two optimizers, and how everything stood afterwards; `error` is the class of PyTorch's. */
export interface ScalerEvent {
  readonly kind: 'scale' | 'unscale' | 'step' | 'update' | 'set' | 'zero' | 'save' | 'load' | 'factor'
  readonly k: 0 | 1
  readonly error?: string | null
  readonly values?: readonly Stored[]
  readonly scale?: number
  readonly growth?: number
  readonly backoff?: number
  readonly interval?: number
  readonly state?: Readonly<Record<string, number>>
  readonly after: {
    readonly scale: number
    readonly tracker: number
    readonly params: readonly (readonly number[])[]
    readonly grads: readonly (readonly Stored[] | null)[]
  }
}

interface ScalerTrace {
  readonly options: {
    readonly init_scale: number
    readonly growth_factor: number
    readonly backoff_factor: number
    readonly growth_interval: number
  }
  readonly events: readonly ScalerEvent[]
}

interface AutocastFixtures {
  /** What an op gives for the arguments of one of its cases, those in float32 brought to `given`; `cpu`: dtypes that PyTorch has instead. */
  readonly ops: readonly {
    readonly op: string
    readonly class: 'low' | 'full' | 'widest'
    readonly of: number
    readonly given: 'float32' | 'bfloat16'
    readonly out: readonly StoredTensor[]
    readonly cpu?: readonly DType[]
  }[]
  readonly training: {
    readonly start: Readonly<Record<string, StoredTensor>>
    readonly x: StoredTensor
    readonly labels: readonly number[]
    readonly losses: readonly number[]
    readonly end: Readonly<Record<string, readonly Stored[]>>
  }
}

interface Fixtures {
  autocast: AutocastFixtures
  scaler: {
    readonly published: readonly { readonly grad: Stored; readonly scale: number; readonly tracker: number; readonly param: number }[]
    readonly random: ScalerTrace
    readonly fused: ScalerTrace
  }
  dtypes: DTypeFixtures
  ops: {
    readonly ops: Readonly<Record<string, readonly OpCase[]>>
    readonly methods: readonly OpRow[]
    readonly columns: Readonly<Record<string, OpColumns>>
  }
  optim: {
    readonly start: readonly StoredTensor[]
    readonly snapshots: readonly number[]
    readonly traces: readonly {
      readonly rule: RuleName
      readonly name: string
      readonly dtype: 'float32' | 'float64'
      readonly options: Readonly<Record<string, unknown>>
      /** Where the parameters are not the shared ones. */
      readonly start?: readonly StoredTensor[]
      /** By snapshot, by parameter. */
      readonly params: readonly (readonly (readonly number[])[])[]
      /** By slot, by parameter; null where the rule keeps none. */
      readonly state: Readonly<Record<string, readonly (readonly number[] | null)[]>>
    }[]
    readonly clip: readonly {
      readonly maxNorm: number
      readonly normType: Stored
      readonly norm: number
      readonly grads: readonly (readonly number[])[]
    }[]
    readonly schedules: readonly {
      readonly kind: string
      readonly options: Readonly<Record<string, unknown>>
      readonly values: readonly number[]
    }[]
    readonly plateaus: readonly {
      readonly options: PlateauOptions
      readonly metrics: readonly number[]
      readonly values: readonly number[]
    }[]
    readonly cosine: readonly {
      readonly from: number
      readonly to: number
      readonly steps: number
      readonly warmup: number
      readonly values: readonly number[]
    }[]
  }
  average: {
    readonly traces: readonly {
      readonly name: 'ema' | 'swa'
      readonly start: number
      readonly every: number
      readonly params: readonly StoredTensor[]
      /** The averages after each update; a parameter without a gradient has null. */
      readonly steps: readonly { readonly grads: readonly (StoredTensor | null)[]; readonly averages: readonly (readonly number[])[] }[]
    }[]
    readonly statistics: readonly {
      readonly batches: readonly StoredTensor[]
      readonly state: Readonly<Record<string, readonly number[]>>
    }[]
  }
  autograd: {
    readonly penalty: readonly {
      readonly inputs: readonly StoredTensor[]
      readonly loss: number
      readonly grads: readonly (readonly number[] | 0)[]
    }[]
    readonly hvp: readonly {
      readonly inputs: readonly StoredTensor[]
      readonly v: readonly StoredTensor[]
      readonly value: number
      readonly product: readonly (readonly number[])[]
    }[]
    /** Ops by name on earlier values by place; null where PyTorch has no gradient. */
    readonly programs: readonly {
      readonly inputs: readonly StoredTensor[]
      readonly steps: readonly (readonly ['add' | 'sub' | 'mul' | 'tanh' | 'sin' | 'square', number, number])[]
      readonly first: readonly (readonly number[] | null)[]
      readonly second: readonly (readonly number[] | null)[]
    }[]
  }
  nn: {
    readonly layers: readonly LayerCase[]
    readonly batchNorm2d: readonly {
      readonly options: Readonly<Record<string, unknown>>
      readonly before: Readonly<Record<string, StoredTensor>>
      readonly steps: readonly BatchNormStep[]
      readonly eval: { readonly x: StoredTensor; readonly out: StoredTensor }
    }[]
    readonly net: readonly {
      readonly keys: readonly string[]
      readonly state: Readonly<Record<string, StoredTensor>>
      readonly x: StoredTensor
      readonly evalOut: StoredTensor
    }[]
    readonly safetensors: readonly {
      readonly file: string
      readonly metadata: Readonly<Record<string, string>>
      readonly tensors: Readonly<Record<string, StoredTensor>>
    }[]
  }
}

/** What `scripts/fixtures/<name>.py` wrote. */
export function fixture<K extends keyof Fixtures>(name: K): Fixtures[K] {
  const parsed: Fixtures[K] = JSON.parse(readFileSync(fixturePath(`${name}.json`), 'utf8'))
  return parsed
}

/** The path of a file of `__test__/fixtures`. */
export function fixturePath(file: string): string {
  return new URL(`fixtures/${file}`, import.meta.url).pathname
}

/** Whether a value of a fixture is a tensor. */
export function isStored(value: unknown): value is StoredTensor {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'data' in value
}

/** A tensor of a fixture, in its dtype or another one. */
export function fromStored({ shape, dtype, data }: StoredTensor, as: DType = dtype): Tensor<DType> {
  const numbers = data.map(Number)
  return as === 'bool'
    ? tensor(
        numbers.map((value) => value !== 0),
        { shape, dtype: as },
      )
    : tensor(numbers, { shape, dtype: as })
}

/** The fixed weights of the scalar that fixtures differentiate: multiples of 1/8, never 0; see `weights` in scripts/fixtures/common.py. */
export function weights(shape: readonly number[], offset = 0, order: 1 | 2 = 1): number[] {
  const size = shape.reduce((a, b) => a * b, 1)
  return Array.from({ length: size }, (_, i) => (order === 1 ? ((7 * (i + offset)) % 11) - 5 : ((5 * (i + offset)) % 13) - 6) / 4 + 1 / 8)
}

export interface Tolerance {
  readonly rtol?: number
  readonly atol?: number
}

/** How far numbers are from those expected: the worst element, in tolerances and as `|actual - expected| / max(1, |expected|)`. */
export function deviation(
  actual: Tensor<DType> | ArrayLike<number | bigint>,
  expected: ArrayLike<Stored> | 0,
  { rtol = 1e-6, atol = 1e-6 }: Tolerance = {},
): { readonly excess: number; readonly error: number; readonly message: string } {
  const got = Array.from('dataSync' in actual ? elementsOf(actual) : actual, Number)
  // Fixtures write the shortest decimal of a float32, which as a float64 is another number.
  const single = 'dataSync' in actual && actual.dtype.includes('float') && actual.dtype !== 'float64'
  const want = expected === 0 ? got.map(() => 0) : Array.from(expected, (value) => (single ? Math.fround(Number(value)) : Number(value)))
  if (got.length !== want.length) return { excess: Infinity, error: Infinity, message: `${got.length} elements, expected ${want.length}` }
  const excess = got.map((value, i) => distance(value, want[i] ?? NaN, rtol, atol))
  const worst = excess.reduce((at, value, i) => (value > (excess[at] ?? 0) ? i : at), 0)
  const error = got.reduce((most, value, i) => Math.max(most, distance(value, want[i] ?? NaN, 0, Math.max(1, Math.abs(want[i] ?? 1)))), 0)
  const message = `element ${worst} is ${got[worst]}, expected ${want[worst]}\n  got      ${show(got)}\n  expected ${show(want)}`
  return { excess: excess[worst] ?? 0, error, message }
}

/** Passes when every `|actual - expected| <= atol + rtol * |expected|`; NaN equals NaN. The message names the worst element. */
export function closeTo(
  t: ExecutionContext,
  actual: Tensor<DType> | ArrayLike<number | bigint>,
  expected: ArrayLike<Stored> | 0,
  tolerance: Tolerance = {},
  what = '',
): void {
  const { excess, message } = deviation(actual, expected, tolerance)
  t.true(excess <= 1, `${what}: ${message}`)
}

/** The elements as JavaScript numbers; half types read as bits otherwise. */
function elementsOf(x: Tensor<DType>): ArrayLike<number | bigint> {
  return x.dtype === 'float16' || x.dtype === 'bfloat16' ? x.to('float32').dataSync() : x.dataSync()
}

/** The distance of two numbers in tolerances. */
function distance(actual: number, expected: number, rtol: number, atol: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Infinity
  return Math.abs(actual - expected) / (atol + rtol * Math.abs(expected))
}

const show = (values: readonly number[]) => values.slice(0, 12).join(' ')
