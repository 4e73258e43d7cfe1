// One cell of the conformance table: an op on a device, under one column, against PyTorch's numbers.
import { grad, gradCheck } from '../../ts/autograd/index.ts'
import { FirnError } from '../../ts/errors.ts'
import { tidy, type DType, type Tensor } from '../../ts/tensor/index.ts'
import {
  deviation,
  fromStored,
  isStored,
  type ColumnCases,
  type OpCase,
  type OpColumns,
  type OpRow,
  type StoredTensor,
} from '../helpers.ts'
import { argsOf, asView, call, facesFor, isDouble, leavesOf, replace, scalar, withGrad, type AnyTensor } from '../opCalls.ts'
import { reasons, type Column } from './reasons.ts'

/** The worst error, or why there is none to show, or what is wrong. */
export type Cell = { readonly error: number } | { readonly passed: true } | { readonly reason: string } | { readonly fault: string }

/** An op with its cases. */
export interface Subject {
  readonly row: OpRow
  readonly cases: readonly OpCase[]
  readonly columns: OpColumns
}

export const columns: readonly Column[] = [
  'forward',
  'gradient',
  'quotients',
  'second',
  'float16',
  'bfloat16',
  'zero-size',
  '0-d',
  'views',
  'broadcast',
]

/** What a result may differ by, in units of the type's last place near 1: four, for ops that round more than once. */
const HALF = { float16: 4 * 2 ** -10, bfloat16: 4 * 2 ** -7 } as const

class Fault extends Error {}

/** The error of results against those expected; throws a Fault beyond the tolerance. */
function compare(outputs: readonly AnyTensor[], expected: readonly StoredTensor[], tolerance: number): number {
  if (outputs.length !== expected.length) throw new Fault(`${outputs.length} results, expected ${expected.length}`)
  return worst(expected, (want, k) => {
    const got = outputs[k]
    if (got === undefined) return 0
    if (got.shape.join() !== want.shape.join()) throw new Fault(`shape [${got.shape.join()}], expected [${want.shape.join()}]`)
    if (got.dtype !== want.dtype) throw new Fault(`dtype ${got.dtype}, expected ${want.dtype}`)
    const bound = want.dtype in HALF ? HALF[want.dtype as keyof typeof HALF] : tolerance
    return within(deviation(got, want.data, { rtol: bound, atol: bound }))
  })
}

function within({ excess, error, message }: ReturnType<typeof deviation>): number {
  if (excess > 1) throw new Fault(message)
  return error
}

/** The largest number that `measure` gives. */
function worst<T>(items: readonly T[], measure: (item: T, index: number) => number): number {
  return items.reduce((most, item, index) => Math.max(most, measure(item, index)), 0)
}

const listed = ({ out }: OpCase): readonly StoredTensor[] => (isStored(out) ? [out] : out)

function forward(row: OpRow, entry: OpCase, make: (stored: StoredTensor) => AnyTensor): number {
  return worst(facesFor(row, entry), (face) => compare(call(row, face, argsOf(entry, make)), listed(entry), entry.rtol ?? 1e-6))
}

/** First or second gradient of a case that has one. */
function gradient(row: OpRow, entry: OpCase, order: 1 | 2): number {
  const [face] = facesFor(row, entry)
  const expected = order === 1 ? entry.grad : entry.grad2
  if (face === undefined || entry.grad === undefined || expected === undefined) return 0
  const args = argsOf(entry, (stored) => withGrad(fromStored(stored)))
  const leaves = leavesOf(args, entry.grad)
  const found = grad(scalar(call(row, face, args)), leaves, { createGraph: order === 2 })
  // The zeros keep every leaf in the graph where the first gradient is constant.
  const total = order === 1 ? null : leaves.reduce((sum, leaf) => sum.add(leaf.mul(0).sum()), scalar(found, 2))
  const tolerance = Math.max(entry.rtol ?? 0, 1e-5)
  const grads = total === null ? found : grad(total, leaves)
  return worst(Object.values(expected).flat(), (data, k) => {
    const got = grads[k]
    return got === undefined ? 0 : within(deviation(got, data, { rtol: tolerance, atol: tolerance }))
  })
}

/** Passes where the gradient agrees with difference quotients in float64. */
function quotients(row: OpRow, entry: OpCase): number {
  const [face] = facesFor(row, entry)
  if (face === undefined || entry.grad === undefined) return 0
  const args = argsOf(entry, (stored) => fromStored(stored, stored.dtype.includes('float') ? 'float64' : stored.dtype))
  const names = Object.keys(entry.grad)
  const fn = (...inputs: Tensor<'float64'>[]): Tensor<'float64'> => {
    const value = scalar(call(row, face, replace(args, names, inputs)))
    if (!isDouble(value)) throw new Fault(`float64 gave ${value.dtype}`)
    return value
  }
  gradCheck(fn, leavesOf(args, entry.grad).filter(isDouble), { eps: 1e-6, atol: 1e-6, rtol: 1e-4 })
  return 0
}

function half({ row, cases, columns: { half: stored } }: Subject, dtype: keyof typeof HALF): Cell {
  const entry = stored && cases[stored.of]
  if (!stored || !entry) return { reason: 'no float input' }
  const rounded = (input: StoredTensor): AnyTensor => {
    const single: Tensor<DType> = fromStored(input)
    return input.dtype === 'float32' ? single.to(dtype) : single
  }
  const expected = listed(entry).map((out, k): StoredTensor => {
    return { ...out, dtype: out.dtype === 'float32' ? dtype : out.dtype, data: stored[dtype][k] ?? [] }
  })
  const error = tidy(() =>
    worst(facesFor(row, entry).slice(0, 1), (face) => compare(call(row, face, argsOf(entry, rounded)), expected, HALF[dtype])),
  )
  return { error }
}

/** Whether firn refuses arguments, with an error of its own. */
function refuses(row: OpRow, args: OpCase['args']): boolean {
  try {
    tidy(() => facesFor(row, { args }).map((face) => call(row, face, argsOf({ args }, fromStored))))
    return false
  } catch (error) {
    if (error instanceof FirnError && error.code !== 'internal') return true
    throw error
  }
}

function special({ row, cases }: Subject, given: ColumnCases): Cell {
  if ('refused' in given) {
    if (!refuses(row, given.refused)) throw new Fault(`PyTorch refuses ${brief(given.refused)}, firn does not`)
    return { reason: 'refused' }
  }
  const entries = 'case' in given ? [given.case] : given.cases.flatMap((index) => cases[index] ?? [])
  return { error: over(entries, (entry) => Math.max(forward(row, entry, fromStored), gradient(row, entry, 1))) }
}

const brief = (args: OpCase['args']) => JSON.stringify(args).slice(0, 300)

/** The worst of several cases, each in a scope; a fault names its case. */
function over(cases: readonly OpCase[], measure: (entry: OpCase) => number): number {
  return worst(cases, (entry) => {
    try {
      return tidy(() => measure(entry))
    } catch (error) {
      throw new Fault(`${error instanceof Error ? error.message : String(error)}\n  of ${brief(entry.args)}`, { cause: error })
    }
  })
}

const isDiscrete = ({ returns = '' }: OpRow) => ['Mask', 'Index', 'Discrete'].includes(returns)
const operands = ({ args }: OpRow) => args.filter(({ kind = '' }) => ['&Tensor', '&Mask', '&Operand'].includes(kind))

function measured(subject: Subject, column: Column): Cell {
  const { row, cases } = subject
  const smooth = cases.filter((entry) => entry.grad !== undefined)
  switch (column) {
    case 'forward':
      return { error: over(cases, (entry) => forward(row, entry, fromStored)) }
    case 'views':
      return { error: over(cases, (entry) => forward(row, entry, asView)) }
    case 'gradient':
    case 'second':
    case 'quotients': {
      if (smooth.length === 0) return isDiscrete(row) ? { reason: 'discrete' } : { fault: 'no case has a gradient' }
      if (column === 'gradient') return { error: over(smooth, (entry) => gradient(row, entry, 1)) }
      const inner = smooth.filter((entry) => entry.edge === undefined)
      if (inner.length === 0) return { fault: 'no case away from ties and kinks has a gradient' }
      if (column === 'second') return { error: over(inner, (entry) => gradient(row, entry, 2)) }
      over(inner, (entry) => quotients(row, entry))
      return { passed: true }
    }
    case 'float16':
    case 'bfloat16':
      return half(subject, column)
    case 'broadcast':
      if (operands(row).length < 2) return { reason: 'one tensor' }
      if (subject.columns.broadcast === undefined) return { reason: 'own shapes' }
      return special(subject, subject.columns.broadcast)
    default: {
      const given = subject.columns[column]
      return given === undefined ? { fault: 'no case, and none could be made; add one' } : special(subject, given)
    }
  }
}

/** The arguments of a column on which firn and PyTorch part. */
function argumentsOf({ columns: given, cases }: Subject, column: Column): OpCase['args'] | undefined {
  const entry = column === 'zero-size' || column === '0-d' || column === 'broadcast' ? given[column] : undefined
  if (entry === undefined) return undefined
  return 'refused' in entry ? entry.refused : 'case' in entry ? entry.case.args : cases[entry.cases[0] ?? 0]?.args
}

/** What stands in the table for an op under a column. */
export function measure(subject: Subject, column: Column): Cell {
  const reason = reasons[subject.row.name]?.[column]
  const args = argumentsOf(subject, column)
  if (reason !== undefined) {
    if (reason.firn !== 'nothing' && args !== undefined && refuses(subject.row, args) !== (reason.firn === 'refuses'))
      return { fault: `reasons.ts says that firn ${reason.firn}, and it does not: ${reason.why}` }
    return { reason: reason.why }
  }
  try {
    return measured(subject, column)
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}
