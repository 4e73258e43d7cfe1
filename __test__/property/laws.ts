// What must hold for any call of any op: shapes by an independent rule, views like copies, float64 like float32, gradients of their inputs.
import { grad } from '../../ts/autograd/index.ts'
import { FirnError } from '../../ts/errors.ts'
import { Tensor, type DType } from '../../ts/tensor/index.ts'
import type { OpRow } from '../helpers.ts'
import { asView, call, tensorsOf, type AnyTensor, type Args } from '../opCalls.ts'

type Face = OpRow['faces'][number]

/** Ops whose results may differ from call to call. */
const isRandom = ({ family, check, args }: OpRow) =>
  family === 'random' ||
  (check.kind === 'none' && /random/.test(check.reason)) ||
  args.some(({ name }) => name === 'training' || name === 'dropout')

const elements = (x: AnyTensor): number[] =>
  Array.from(x.dtype === 'float16' || x.dtype === 'bfloat16' ? x.to('float32').dataSync() : x.dataSync(), Number)

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

/** numpy's rule, null where the shapes do not fit. */
function broadcast(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length)
  const out = Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[i + a.length - rank] ?? 1, b[i + b.length - rank] ?? 1]
    return x === y || y === 1 ? x : x === 1 ? y : -1
  })
  return out.includes(-1) ? null : out
}

/** The shape that an op must give, null where no simple rule says it. */
function oracle(row: OpRow, args: Args): readonly number[] | null {
  const shapeOf = (value: unknown) => (value instanceof Tensor ? value.shape : [])
  const [self] = args.values()
  if (row.check.kind === 'unary') return shapeOf(self)
  const operands = row.args.filter(({ kind }) => kind === '&Operand')
  if (row.check.kind === 'binary' && operands.length === 2) {
    return broadcast(shapeOf(args.get(operands[0]?.name ?? '')), shapeOf(args.get(operands[1]?.name ?? '')))
  }
  if (row.family !== 'reduce' || !row.args.some(({ name }) => name === 'keep_dim') || !(self instanceof Tensor)) return null
  const given: unknown = args.get('dims') ?? args.get('dim') ?? []
  const list: readonly number[] = typeof given === 'number' ? [given] : Array.isArray(given) ? given : []
  const { rank } = self
  const dims = new Set((list.length === 0 ? self.shape.map((_, i) => i) : list).map((dim) => (dim < 0 ? dim + rank : dim)))
  return args.get('keep_dim') === true ? self.shape.map((size, i) => (dims.has(i) ? 1 : size)) : self.shape.filter((_, i) => !dims.has(i))
}

/** Results are whole: shapes of whole numbers, as many elements as they say, of the shape that the rule gives. */
export function checkResult(row: OpRow, args: Args, outputs: readonly AnyTensor[]): void {
  for (const out of outputs) {
    if (!out.shape.every((size) => Number.isInteger(size) && size >= 0)) throw new Error(`shape [${out.shape.join()}]`)
    const { length } = out.dataSync()
    if (length !== product(out.shape)) throw new Error(`${length} elements under shape [${out.shape.join()}]`)
  }
  const want = oracle(row, args)
  const [got] = outputs
  if (want !== null && got !== undefined && got.shape.join() !== want.join())
    throw new Error(`shape [${got.shape.join()}] where the rule gives [${want.join()}]`)
}

function mapTensors(args: Args, change: (x: AnyTensor) => AnyTensor): Args {
  const map = (value: unknown): unknown => (value instanceof Tensor ? change(value) : Array.isArray(value) ? value.map(map) : value)
  return new Map(Array.from(args, ([name, value]) => [name, map(value)]))
}

function alike(a: readonly AnyTensor[], b: readonly AnyTensor[], tolerance: number, what: string): void {
  if (a.length !== b.length) throw new Error(`${a.length} results and ${b.length} ${what}`)
  for (const [k, left] of a.entries()) {
    const right = b[k]
    if (right === undefined) continue
    if (left.shape.join() !== right.shape.join()) throw new Error(`shape [${left.shape.join()}], and [${right.shape.join()}] ${what}`)
    const [xs, ys] = [elements(left), elements(right)]
    const i = xs.findIndex((x, at) => differ(x, ys[at] ?? NaN, tolerance))
    if (i >= 0) throw new Error(`element ${i} is ${xs[i]}, and ${ys[i]} ${what}`)
  }
}

function differ(x: number, y: number, tolerance: number): boolean {
  if (Object.is(x, y) || x === y) return false
  return !(Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x), Math.abs(y)))
}

/** What a call gives, null where it is refused. */
function attempt(row: OpRow, face: Face, args: Args): readonly AnyTensor[] | null {
  try {
    return call(row, face, args)
  } catch (error) {
    if (error instanceof FirnError && error.code !== 'internal') return null
    throw error
  }
}

/** The message of a call that is refused. */
function refusal(row: OpRow, face: Face, args: Args): string {
  try {
    call(row, face, args)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Arguments that are views of other tensors change nothing; `outputs` is null where the call was refused. */
export function checkView(row: OpRow, face: Face, args: Args, outputs: readonly AnyTensor[] | null): void {
  if (isRandom(row)) return
  const views = mapTensors(args, (x) => asView({ shape: x.shape, dtype: x.dtype, data: elements(x) }))
  const again = attempt(row, face, views)
  if (outputs === null || again === null) {
    if (outputs !== again) throw new Error(outputs === null ? 'refused, but not on views' : 'refused on views')
    return
  }
  // Sums may go in another order, and halves round after each step.
  const coarse = outputs.some(({ dtype }) => dtype === 'float16' || dtype === 'bfloat16')
  const tame = [...args.values()].flatMap(tensorsOf).every((x) => elements(x).every((value) => Math.abs(value) <= 100))
  if (tame) alike(outputs, again, coarse ? 5e-2 : 1e-3, 'on views')
}

/** Families in which a float32 result is close to the float64 one: no decompositions, whose results rounding decides. */
const smooth = new Set(['elementwise', 'activation', 'reduce', 'shaping', 'index', 'softmax', 'conv', 'pool', 'loss'])

/** float64 arguments give the same shapes, and close values where these are tame. */
export function checkWide(row: OpRow, face: Face, args: Args, outputs: readonly AnyTensor[]): void {
  const inputs = [...args.values()].flatMap(tensorsOf)
  if (isRandom(row) || inputs.length === 0 || !inputs.every(({ dtype }) => dtype === 'float32')) return
  const wide = attempt(
    row,
    face,
    mapTensors(args, (x) => x.to('float64')),
  )
  if (wide === null) throw new Error('refused in float64')
  for (const [k, out] of outputs.entries()) {
    const { dtype, shape = [] } = wide[k] ?? {}
    if (shape.join() !== out.shape.join()) throw new Error(`shape [${out.shape.join()}], and [${shape.join()}] in float64`)
    if (dtype !== (out.dtype === 'float32' ? 'float64' : out.dtype)) throw new Error(`${out.dtype}, and ${dtype} of float64`)
  }
  const tame = (list: readonly AnyTensor[]) => list.every((x) => elements(x).every((value) => Math.abs(value) <= 100))
  const discrete = outputs.some(({ dtype }) => !dtype.includes('float'))
  if (smooth.has(row.family ?? '') && !discrete && tame(inputs) && tame(outputs) && tame(wide)) alike(outputs, wide, 2e-2, 'in float64')
}

const isFloat = ({ dtype }: { dtype: DType }) => dtype.includes('float')

/** A gradient has the shape and dtype of its input; there may be none. */
export function checkGradient(row: OpRow, face: Face, args: Args): void {
  const leaves: AnyTensor[] = []
  const tracked = mapTensors(args, (x) => {
    const leaf = x.detach()
    if (!isFloat(leaf)) return leaf
    leaf.requiresGrad = true
    leaves.push(leaf)
    return leaf
  })
  if (leaves.length === 0) return
  const outputs = attempt(row, face, tracked)
  if (outputs === null) {
    // A form without a gradient says so.
    if (/gradient/.test(refusal(row, face, tracked))) return
    throw new Error('refused with gradients')
  }
  const total = outputs.filter((out) => isFloat(out) && out.requiresGrad)
  for (const out of total.slice(0, 1)) {
    for (const leaf of leaves) {
      const [slope] = gradientOf(out, leaf) ?? []
      if (slope !== undefined && (slope.shape.join() !== leaf.shape.join() || slope.dtype !== leaf.dtype))
        throw new Error(`the gradient of a ${leaf.dtype} [${leaf.shape.join()}] is a ${slope.dtype} [${slope.shape.join()}]`)
      slope?.dataSync()
    }
  }
}

/** None where the result did not come from the leaf, or an op says that it has no gradient at such values. */
function gradientOf(out: AnyTensor, leaf: AnyTensor): readonly AnyTensor[] | null {
  try {
    return grad(out.sum(), [leaf], { retainGraph: true, createGraph: true })
  } catch (error) {
    const refused = error instanceof FirnError && (error.code === 'autograd' || error.message.includes('gradient of'))
    if (refused) return null
    throw error
  }
}
