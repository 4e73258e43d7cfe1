// Arguments for any op of the manifest, by their kinds: mostly such as it could take, sometimes not.
import { choices } from '../../ts/tensor/choices.gen.ts'
import { tensor, type DType, type Tensor } from '../../ts/tensor/index.ts'
import type { OpArg, OpRow } from '../helpers.ts'
import type { Args } from '../opCalls.ts'
import type { Picks } from './picks.ts'

type AnyTensor = Tensor<DType>

export const dtypes: readonly [DType, ...DType[]] = [
  'float32',
  'float64',
  'int64',
  'bool',
  'float16',
  'bfloat16',
  'int32',
  'int16',
  'int8',
  'uint8',
]

const specials = [0, 1, -1, NaN, Infinity, -Infinity, 1e30, -0] as const
const numbers = [1, 0, 0.5, 2, -1, 3, 1e-5, NaN, Infinity, -0.5] as const
const equations = ['ij,jk->ik', 'ij->ji', 'i,i->', 'ii->i', '...ij->...ji', 'ij,ij->i', 'i,j->ij', 'ij,', 'ab->c', 'bij,bjk->bik'] as const

/** A new tensor whose elements depend on `seed` alone: hundredths around 0, positive ones, whole numbers, or with special values among them. */
export function make(shape: readonly number[], dtype: DType, seed: number): AnyTensor {
  const size = shape.reduce((product, n) => product * n, 1)
  const isFloat = dtype.includes('float')
  const values = Array.from({ length: size }, (_, i) => {
    const random = (Math.imul(i + 1, 2654435761) ^ Math.imul(seed + 1, 40503)) >>> 0
    if (!isFloat) return seed % 4 === 3 && dtype !== 'uint8' ? (random % 7) - 3 : random % 4
    if (seed % 4 === 3 && random % 3 === 0) return specials[(random >>> 8) % specials.length] ?? 0
    if (seed % 4 === 2) return (random % 5) - 2
    return seed % 4 === 1 ? ((random % 300) + 10) / 100 : ((random % 400) - 199) / 100
  })
  return dtype === 'bool'
    ? tensor(
        values.map((value) => value % 2 === 1),
        { shape, dtype },
      )
    : tensor(values, { shape, dtype })
}

export function shapeOf(picks: Picks, rank = picks.below(5)): number[] {
  return Array.from({ length: rank }, () => picks.of([2, 1, 3, 2, 0, 4, 5]))
}

/** Whether a kind of argument is a tensor, and of which dtype it has to be. */
function tensorKind(kind: string): DType | 'any' | null {
  if (kind.endsWith('Index>') || kind === '&Index') return 'int64'
  if (kind.endsWith('Mask>') || kind === '&Mask') return 'bool'
  if (kind === '&Labels') return 'int64'
  return ['&Tensor', 'Option<&Tensor>', 'Option<&AnyMask>', '&Operand'].includes(kind) ? 'any' : null
}

/** A tensor to be called on: one at hand or a new one. */
function receiver(picks: Picks, pool: readonly AnyTensor[], dtype: DType | 'any'): AnyTensor {
  const fitting = pool.filter((x) => dtype === 'any' || x.dtype === dtype)
  if (picks.below(2) === 0 && fitting.length > 0) return picks.of(fitting) ?? make([], 'float32', 0)
  return make(
    shapeOf(picks, picks.below(6)),
    dtype === 'any' ? picks.of(['float32', 'float64', 'float32', ...dtypes]) : dtype,
    picks.below(1000),
  )
}

/** A tensor beside another: of its shape, of one that broadcasts, one dimension less, or any. */
function companion(picks: Picks, pool: readonly AnyTensor[], beside: AnyTensor, dtype: DType | 'any'): AnyTensor {
  const own = dtype === 'any' ? (picks.chance(10) ? picks.of(dtypes) : beside.dtype) : dtype
  const { shape } = beside
  switch (picks.below(8)) {
    case 5:
      return picks.of(pool) ?? beside
    case 6:
      return make(shapeOf(picks), own, picks.below(1000))
    case 4:
      return make([shape.at(picks.below(2) - 1) ?? 2], own, picks.below(1000))
    case 3:
      return make(shape.slice(1), own, picks.below(1000))
    case 2:
      return make(shape.toSpliced(1, 1), own, picks.below(1000))
    case 1:
      return make(
        shape.map((n) => (picks.below(2) === 0 ? n : 1)),
        own,
        picks.below(1000),
      )
    default:
      return make(shape, own, picks.below(1000))
  }
}

function whole(picks: Picks, name: string, rank: number): number {
  if (/dim|axis|start|end/.test(name)) return picks.chance(5) ? 9 : picks.below(rank + 1) - (picks.below(2) === 0 ? 0 : rank)
  return picks.of([1, 2, 0, 3, -1, 4])
}

function list(picks: Picks, name: string, rank: number): number | number[] {
  if (picks.below(4) === 0) return whole(picks, name, rank)
  const length = /dims|repeats/.test(name) ? picks.below(rank + 1) : picks.below(6)
  return Array.from({ length }, () => whole(picks, name, rank))
}

const sizes = [1, 2, 0, 3, 4, 5] as const

/** A value for an argument that is no tensor. */
export function plain(picks: Picks, { kind = '', name }: OpArg, beside: AnyTensor): unknown {
  const { rank } = beside
  const words = Object.entries(choices).find(([choice]) => choice === kind)?.[1]
  if (words !== undefined) return picks.chance(3) ? 'nonsense' : picks.of<string>(words)
  switch (kind.replace(/^Option<(.*)>$/, '$1')) {
    case 'isize':
      return whole(picks, name, rank)
    case 'usize':
      return picks.of(sizes)
    case '&[isize]':
    case '&Parts':
      return list(picks, name, rank)
    case '&[f64]':
      return Array.from({ length: picks.below(4) }, () => picks.of(numbers))
    case 'f64':
      return picks.of(numbers)
    case 'bool':
      return picks.below(2) === 1
    case 'Pair':
      return picks.below(2) === 0 ? picks.of(sizes) : [picks.of(sizes), picks.of(sizes)]
    case 'Triple':
      return picks.below(2) === 0 ? picks.of(sizes) : [picks.of(sizes), picks.of(sizes), picks.of(sizes)]
    case 'Padding<1>':
      return picks.of(['same', 'valid', 0, 1, 2])
    case 'Padding<2>':
      return picks.of<unknown>(['same', 'valid', 0, 1, [1, 2]])
    case 'Padding<3>':
      return picks.of<unknown>(['same', 'valid', 0, 1, [1, 0, 2]])
    case 'DType':
      return picks.of(dtypes)
    case '&str':
      return picks.of(equations)
    default:
      throw new Error(`the property test knows no argument of kind ${kind}; add it to __test__/property/arguments.ts`)
  }
}

/** All arguments of one call. */
export function argumentsFor(row: OpRow, picks: Picks, pool: readonly AnyTensor[]): Args {
  const args = new Map<string, unknown>()
  let first: AnyTensor | null = null
  for (const arg of row.args) {
    const kind = arg.kind ?? ''
    const dtype = tensorKind(kind)
    if (arg.position === 'option' && picks.below(2) === 0) continue
    if (kind === '&[Tensor]') {
      const beside = receiver(picks, pool, 'any')
      const more = Array.from({ length: picks.below(4) }, () => companion(picks, pool, beside, 'any'))
      args.set(arg.name, picks.chance(3) ? [] : [beside, ...more])
      first ??= beside
    } else if (dtype === null) {
      args.set(arg.name, plain(picks, arg, first ?? make([2], 'float32', 0)))
    } else if (kind === '&Operand' && first !== null && picks.chance(25)) {
      args.set(arg.name, picks.of(numbers))
    } else if (first === null) {
      first = receiver(picks, pool, dtype)
      args.set(arg.name, first)
    } else {
      args.set(arg.name, companion(picks, pool, first, dtype))
    }
  }
  return args
}
