// Arguments that an op takes: those of a case of the fixtures, with other numbers, and at times one of them changed.
import type { OpRow } from '../helpers.ts'
import { fixture, fromStored, type StoredTensor } from '../helpers.ts'
import { argsOf, type AnyTensor, type Args } from '../opCalls.ts'
import { make, plain } from './arguments.ts'
import type { Picks } from './picks.ts'

const { ops } = fixture('ops')

/** Arguments in the shapes of a case of `row`; null for an op without cases. */
export function fittedArguments(row: OpRow, picks: Picks): Args | null {
  const entry = picks.of(ops[row.name] ?? [])
  if (entry === undefined) return null
  // Positions and truth values stay: among other numbers they mean nothing.
  const other = (stored: StoredTensor): AnyTensor =>
    stored.dtype.includes('float') && picks.below(4) > 0 ? make(stored.shape, stored.dtype, picks.below(1000)) : fromStored(stored)
  const args = new Map(argsOf(entry, other))
  if (picks.below(4) > 0) return args
  const changed = picks.of(row.args.filter(({ kind = '' }) => !/Tensor|Index|Mask|Labels|Operand/.test(kind)))
  if (changed !== undefined) args.set(changed.name, plain(picks, changed, firstTensor(args) ?? make([2], 'float32', 0)))
  return args
}

const firstTensor = (args: Args): AnyTensor | undefined =>
  [...args.values()].flatMap((value) => (Array.isArray(value) ? value : [value])).find((value): value is AnyTensor => isTensor(value))

const isTensor = (value: unknown): value is AnyTensor => typeof value === 'object' && value !== null && 'rank' in value
