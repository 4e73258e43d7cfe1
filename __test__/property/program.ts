// Random programs: a few tensors, a chain of ops on them, and what must hold after each and at the end.
import { readFileSync } from 'node:fs'
import { array, nat, record, type Arbitrary } from 'fast-check'
import { grad } from '../../ts/autograd/index.ts'
import { FirnError } from '../../ts/errors.ts'
import { memory, tensor, tensorScope, type DType } from '../../ts/tensor/index.ts'
import { fixture, type OpRow } from '../helpers.ts'
import { call, type AnyTensor, type Args } from '../opCalls.ts'
import { argumentsFor, dtypes, make, shapeOf } from './arguments.ts'
import { fittedArguments } from './fitted.ts'
import { checkGradient, checkResult, checkView, checkWide } from './laws.ts'
import { Picks } from './picks.ts'

export interface Program {
  /** What the tensors at the start are made of. */
  readonly inputs: readonly (readonly number[])[]
  /** Which op, and what decides its arguments. */
  readonly steps: readonly { readonly op: number; readonly picks: readonly number[] }[]
}

const picks = (length: number) => array(nat(999), { minLength: length, maxLength: length })

export const programs: Arbitrary<Program> = record({
  inputs: array(picks(8), { minLength: 1, maxLength: 3 }),
  steps: array(record({ op: nat(99_999), picks: picks(40) }), { minLength: 1, maxLength: 5 }),
})

const manifest: readonly OpRow[] = JSON.parse(readFileSync(new URL('../ops.gen.json', import.meta.url), 'utf8'))
const rows = [...manifest, ...fixture('ops').methods].filter(({ faces, args }) => {
  return faces.some((face) => face !== 'native') && args.every(({ kind }) => kind !== undefined)
})

/** Tensors above this size leave the program, so that sizes do not multiply. */
const LARGEST = 256

/** Counts of what happened, for the summary of a long run. */
export const tally = { programs: 0, calls: 0, refused: 0, byOp: new Map<string, number>() }

const shown = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  if (typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value) return `${value.dtype} [${String(value.shape)}]`
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** `op(argument: value, ...)`. */
const written = (row: OpRow, args: Args) => `${row.js}(${Array.from(args, ([name, value]) => `${name}: ${shown(value)}`).join(', ')})`

/** An error that firn throws must be a FirnError, name the op and show nothing of the machinery. */
function checkError(row: OpRow, error: unknown): void {
  if (!(error instanceof FirnError)) throw new Error(`threw no FirnError: ${String(error)}`, { cause: error })
  if (error.code === 'internal') throw new Error(`internal error: ${error.message}`, { cause: error })
  if (/panick|unwrap|\.rs:|index out of bounds|burn|Dispatch/i.test(error.message)) throw new Error(`shows machinery: ${error.message}`)
  const own = [row.js, 'unknown', 'must be', 'expected']
  if (!own.some((word) => error.message.includes(word))) throw new Error(`does not name the op: ${error.message}`)
}

function step(row: OpRow, choose: Picks, pool: AnyTensor[]): void {
  const args = (choose.below(2) === 1 ? fittedArguments(row, choose) : null) ?? argumentsFor(row, choose, pool)
  const faces = row.faces.filter(
    (face) => face !== 'native' && (face !== 'method' || typeof args.get(row.args[0]?.name ?? '') === 'object'),
  )
  const face = choose.of(faces)
  if (face === undefined) return
  tally.calls++
  const started = performance.now()
  let outputs: readonly AnyTensor[] = []
  try {
    outputs = call(row, face, args)
  } catch (error) {
    tally.refused++
    guard(row, args, () => checkError(row, error))
    guard(row, args, () => checkView(row, face, args, null))
    return
  }
  tally.byOp.set(row.js, (tally.byOp.get(row.js) ?? 0) + 1)
  guard(row, args, () => {
    checkResult(row, args, outputs)
    checkView(row, face, args, outputs)
    if (choose.below(2) === 0) checkWide(row, face, args, outputs)
    else checkGradient(row, face, args)
    const took = performance.now() - started
    if (took > 5000) throw new Error(`took ${(took / 1000).toFixed(1)} s`)
  })
  pool.push(...outputs.filter(({ size }) => size <= LARGEST))
}

/** Runs checks; what they throw gets the call in front. */
function guard(row: OpRow, args: Args, check: () => void): void {
  try {
    check()
  } catch (error) {
    throw new Error(`${written(row, args)}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Runs a program; throws where firn breaks a promise. */
export function run({ inputs, steps }: Program): void {
  tally.programs++
  const before = memory()
  {
    using _scope = tensorScope()
    const pool = inputs.map((numbers) => {
      const choose = new Picks(numbers)
      const dtype: DType = choose.below(2) === 0 ? 'float32' : choose.of(dtypes)
      return make(shapeOf(choose), dtype, choose.below(1000))
    })
    for (const { op, picks: numbers } of steps) {
      const row = rows[op % rows.length]
      if (row !== undefined) step(row, new Picks(numbers), pool)
    }
    const x = tensor([3], { requiresGrad: true })
    const [slope] = grad(x.square(), [x])
    if (slope?.itemSync() !== 6) throw new Error('the tape is no longer usable')
  }
  const after = memory()
  if (after.handles !== before.handles || after.tensors !== before.tensors || after.bytes !== before.bytes)
    throw new Error(`leaks: ${JSON.stringify(before)} before and ${JSON.stringify(after)} after`)
}

/** Which ops never succeeded; a long run should leave none. */
export const untouched = () => rows.map(({ js }) => js).filter((js) => !tally.byOp.has(js))
