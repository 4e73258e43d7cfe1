// Ops on about a million float32 elements: inputs as data, the op as a function of firn and as an expression of PyTorch's.
import type * as Firn from '../../ts/index.ts'
import type { Tensor } from '../../ts/index.ts'

type Shape = readonly number[]

/** Shapes of what an op reads: numbers (x, y, w, b), positions below a bound (i), truth values (m). */
export interface Inputs {
  readonly x: Shape
  readonly y?: Shape
  readonly w?: Shape
  readonly b?: Shape
  readonly i?: { readonly shape: Shape; readonly below: number }
  readonly m?: Shape
}

export interface Made {
  readonly x: Tensor
  readonly y: Tensor
  readonly w: Tensor
  readonly b: Tensor
  readonly i: Tensor<'int64'>
  readonly m: Tensor<'bool'>
}

interface Large {
  readonly inputs: Inputs
  /** What one step computes. A single tensor when `grad` is set. */
  readonly run: (made: Made, firn: typeof Firn) => unknown
  /** The same, evaluated by torch_bench.py. */
  readonly torch: string
  /** With a backward pass from ones to every number among the inputs. */
  readonly grad?: boolean
}

const SQUARE = { x: [1000, 1000] }
const PAIR = { x: [1000, 1000], y: [1000, 1000] }
const LIST = { x: [1_000_000] }
const WIDE = { x: [100, 10_000] }
const IMAGES = { x: [32, 64, 22, 22], w: [64], b: [64] }

type Run = Large['run']
const op = (inputs: Inputs, run: Run, torch: string): Large => ({ inputs, run, torch })
const trained = (inputs: Inputs, run: Run, torch: string): Large => ({ inputs, run, torch, grad: true })

/** One reduction in each direction. */
function reduction(name: string, run: (x: Tensor, dims: number[]) => unknown, torch: string, all = '()'): Record<string, Large> {
  const over = (dim: string): string => torch.replaceAll('DIM', dim)
  return {
    [`${name} of 1 M`]: op(LIST, ({ x }) => run(x, []), over(all)),
    [`${name} [1000, 1000] over 0`]: op(SQUARE, ({ x }) => run(x, [0]), over('0')),
    [`${name} [1000, 1000] over 1`]: op(SQUARE, ({ x }) => run(x, [1]), over('1')),
    [`${name} [100, 10000] over 0`]: op(WIDE, ({ x }) => run(x, [0]), over('0')),
    [`${name} [100, 10000] over 1`]: op(WIDE, ({ x }) => run(x, [1]), over('1')),
  }
}

const along = (name: string, run: (x: Tensor, dim: number) => unknown, torch: string): Record<string, Large> =>
  Object.fromEntries(
    [0, 1].map((dim) => [`${name} [1000, 1000] over ${dim}`, op(SQUARE, ({ x }) => run(x, dim), torch.replaceAll('DIM', String(dim)))]),
  )

const index = (below: number, ...shape: number[]) => ({ shape, below })

export const large: Readonly<Record<string, Large>> = {
  ...reduction('sum', (x, dims) => x.sum(dims), 'x.sum(DIM)'),
  ...reduction('mean', (x, dims) => x.mean(dims), 'x.mean(DIM)'),
  ...reduction('amax', (x, dims) => x.amax(dims), 'x.amax(DIM)'),
  ...reduction('var', (x, dims) => x.var(dims), 'x.var(DIM)'),
  ...reduction('norm', (x, dims) => x.norm(dims), 'torch.linalg.vector_norm(x, dim=DIM)', 'None'),
  ...reduction('logSumExp', (x, dims) => x.logSumExp(dims), 'x.logsumexp(DIM)', '0'),
  ...along('argmax', (x, dim) => x.argmax(dim), 'x.argmax(DIM)'),
  'any of 1 M': op({ ...LIST, m: [1_000_000] }, ({ m }) => m.any(), 'm.any()'),
  'any [1000, 1000] over 1': op({ ...SQUARE, m: [1000, 1000] }, ({ m }) => m.any(1), 'm.any(1)'),
  'all [1000, 1000] over 0': op({ ...SQUARE, m: [1000, 1000] }, ({ m }) => m.all(0), 'm.all(0)'),
  ...along('cumsum', (x, dim) => x.cumsum(dim), 'x.cumsum(DIM)'),
  ...along('softmax', (x, dim) => x.softmax(dim), 'x.softmax(DIM)'),
  ...along('logSoftmax', (x, dim) => x.logSoftmax(dim), 'x.log_softmax(DIM)'),
  'logSoftmax [1000, 1000] over 1, backward too': trained(SQUARE, ({ x }) => x.logSoftmax(1), 'x.log_softmax(1)'),

  'gather [1000, 1000] over 0': op({ ...SQUARE, i: index(1000, 1000, 1000) }, ({ x, i }) => x.gather(0, i), 'x.gather(0, i)'),
  'gather [1000, 1000] over 1': op({ ...SQUARE, i: index(1000, 1000, 1000) }, ({ x, i }) => x.gather(1, i), 'x.gather(1, i)'),
  'scatterAdd [1000, 1000] over 0': op(
    { ...PAIR, i: index(1000, 1000, 1000) },
    ({ x, y, i }) => x.scatterAdd(0, i, y),
    'x.scatter_add(0, i, y)',
  ),
  'scatterAdd [1000, 1000] over 1': op(
    { ...PAIR, i: index(1000, 1000, 1000) },
    ({ x, y, i }) => x.scatterAdd(1, i, y),
    'x.scatter_add(1, i, y)',
  ),
  'scatter [1000, 1000] over 1': op({ ...PAIR, i: index(1000, 1000, 1000) }, ({ x, y, i }) => x.scatter(1, i, y), 'x.scatter(1, i, y)'),
  'indexSelect [1000, 1000] over 0': op({ ...SQUARE, i: index(1000, 1000) }, ({ x, i }) => x.indexSelect(0, i), 'x.index_select(0, i)'),
  'indexSelect [1000, 1000] over 1': op({ ...SQUARE, i: index(1000, 1000) }, ({ x, i }) => x.indexSelect(1, i), 'x.index_select(1, i)'),
  'indexAdd [1000, 1000] over 0': op({ ...PAIR, i: index(1000, 1000) }, ({ x, y, i }) => x.indexAdd(0, i, y), 'x.index_add(0, i, y)'),
  'indexAdd [1000, 1000] over 1': op({ ...PAIR, i: index(1000, 1000) }, ({ x, y, i }) => x.indexAdd(1, i, y), 'x.index_add(1, i, y)'),
  'indexPut 1000 of [1000, 1000]': op({ ...PAIR, i: index(1000, 1000) }, ({ x, y, i }) => x.indexPut([i], y), 'x.index_put((i,), y)'),
  'at 1000 of [1000, 1000]': op({ ...SQUARE, i: index(1000, 1000) }, ({ x, i }) => x.at(i), 'x[i]'),
  'at single places of [1000, 1000]': op({ ...SQUARE, i: index(1000, 100_000) }, ({ x, i }) => x.at(i, i), 'x[i, i]'),
  'embedding 8000 of [30000, 128]': op(
    { x: [30_000, 128], i: index(30_000, 8000) },
    ({ x, i }, { F }) => F.embedding(i, x),
    'F.embedding(i, x)',
  ),
  'embedding 8000 of [30000, 128], backward too': trained(
    { x: [30_000, 128], i: index(30_000, 8000) },
    ({ x, i }, { F }) => F.embedding(i, x),
    'F.embedding(i, x)',
  ),
  'slices of [1000, 1000] by steps, copied': op(SQUARE, ({ x }) => x.slice([0, null, 2], [1, null, 3]).add(1), 'x[0::2, 1::3] + 1'),
  'maskedSelect [1000, 1000]': op({ ...SQUARE, m: [1000, 1000] }, ({ x, m }) => x.maskedSelect(m), 'x.masked_select(m)'),
  'maskedFill [1000, 1000]': op({ ...SQUARE, m: [1000, 1000] }, ({ x, m }) => x.maskedFill(m, 3), 'x.masked_fill(m, 3)'),
  'nonzero [1000, 1000]': op({ ...SQUARE, m: [1000, 1000] }, ({ m }) => m.nonzero(), 'm.nonzero()'),
  'takeAlongDim [1000, 1000]': op(
    { ...SQUARE, i: index(1000, 1000, 1000) },
    ({ x, i }) => x.takeAlongDim(i, { dim: 1 }),
    'x.take_along_dim(i, dim=1)',
  ),
  'sort [1000, 1000] over 1': op(SQUARE, ({ x }) => x.sort(1), 'x.sort(1)'),
  'sort [1000, 1000] over 0': op(SQUARE, ({ x }) => x.sort(0), 'x.sort(0)'),
  'sort of 1 M': op(LIST, ({ x }) => x.sort(0), 'x.sort()'),

  'cat of two [500, 1000] over 0': op({ x: [500, 1000], y: [500, 1000] }, ({ x, y }, { cat }) => cat([x, y]), 'torch.cat([x, y])'),
  'cat of two [1000, 500] over 1': op({ x: [1000, 500], y: [1000, 500] }, ({ x, y }, { cat }) => cat([x, y], 1), 'torch.cat([x, y], 1)'),
  'flip [1000, 1000] over 0, copied': op(SQUARE, ({ x }) => x.flip([0]).reshape([-1]), 'x.flip(0)'),
  'flip [1000, 1000] over 1, copied': op(SQUARE, ({ x }) => x.flip([1]).reshape([-1]), 'x.flip(1)'),
  'roll [1000, 1000] over 1': op(SQUARE, ({ x }) => x.roll(3, 1), 'x.roll(3, 1)'),
  'transposed copy [1000, 1000]': op(SQUARE, ({ x }) => x.transpose(0, 1).reshape([-1]), 'x.t().reshape(-1)'),
  'permuted copy [100, 100, 100]': op(
    { x: [100, 100, 100] },
    ({ x }) => x.permute([2, 0, 1]).reshape([-1]),
    'x.permute(2, 0, 1).reshape(-1)',
  ),
  'sum of x and its transpose [1000, 1000]': op(SQUARE, ({ x }) => x.add(x.transpose(0, 1)), 'x + x.t()'),
  'pad [1000, 1000] by 2': op(SQUARE, ({ x }) => x.pad([2, 2, 2, 2]), 'F.pad(x, (2, 2, 2, 2))'),
  'pad [1000, 1000] by a reflection': op(
    { x: [1, 1, 1000, 1000] },
    ({ x }) => x.pad([2, 2, 2, 2], { mode: 'reflect' }),
    "F.pad(x, (2, 2, 2, 2), mode='reflect')",
  ),
  'repeat [250, 1000] 2 x 2': op({ x: [250, 1000] }, ({ x }) => x.repeat([2, 2]), 'x.repeat(2, 2)'),

  'einsum ij,jk->ik [500, 500]': op(
    { x: [500, 500], y: [500, 500] },
    ({ x, y }, { einsum }) => einsum('ij,jk->ik', x, y),
    "torch.einsum('ij,jk->ik', x, y)",
  ),
  'einsum bij,bjk->bik [64, 128, 128]': op(
    { x: [64, 128, 128], y: [64, 128, 128] },
    ({ x, y }, { einsum }) => einsum('bij,bjk->bik', x, y),
    "torch.einsum('bij,bjk->bik', x, y)",
  ),
  'einsum bhqd,bhkd->bhqk [4, 8, 128, 64]': op(
    { x: [4, 8, 128, 64], y: [4, 8, 128, 64] },
    ({ x, y }, { einsum }) => einsum('bhqd,bhkd->bhqk', x, y),
    "torch.einsum('bhqd,bhkd->bhqk', x, y)",
  ),
  'einsum ii [1000, 1000]': op(SQUARE, ({ x }, { einsum }) => einsum('ii', x), "torch.einsum('ii', x)"),
  'einsum bii->b [100, 100, 100]': op({ x: [100, 100, 100] }, ({ x }, { einsum }) => einsum('bii->b', x), "torch.einsum('bii->b', x)"),
  'einsum ijk->k [100, 100, 100]': op({ x: [100, 100, 100] }, ({ x }, { einsum }) => einsum('ijk->k', x), "torch.einsum('ijk->k', x)"),
  'einsum ij,ij-> [1000, 1000]': op(PAIR, ({ x, y }, { einsum }) => einsum('ij,ij->', x, y), "torch.einsum('ij,ij->', x, y)"),
  'einsum ij,ij->i [1000, 1000]': op(PAIR, ({ x, y }, { einsum }) => einsum('ij,ij->i', x, y), "torch.einsum('ij,ij->i', x, y)"),
  'einsum i,j->ij 1000': op({ x: [1000], y: [1000] }, ({ x, y }, { einsum }) => einsum('i,j->ij', x, y), "torch.einsum('i,j->ij', x, y)"),
  'einsum ij,j->i [1000, 1000]': op(
    { ...SQUARE, y: [1000] },
    ({ x, y }, { einsum }) => einsum('ij,j->i', x, y),
    "torch.einsum('ij,j->i', x, y)",
  ),
  'einsum ij->ji [1000, 1000], copied': op(
    SQUARE,
    ({ x }, { einsum }) => einsum('ij->ji', x).reshape([-1]),
    "torch.einsum('ij->ji', x).reshape(-1)",
  ),

  'gelu of 1 M': op(LIST, ({ x }) => x.gelu(), 'F.gelu(x)'),
  'exp of 1 M': op(LIST, ({ x }) => x.exp(), 'x.exp()'),
  'tanh of 1 M': op(LIST, ({ x }) => x.tanh(), 'x.tanh()'),
  'clamp of 1 M': op(LIST, ({ x }) => x.clamp({ min: -0.5, max: 0.5 }), 'x.clamp(-0.5, 0.5)'),
  'relu of 1 M': op(LIST, ({ x }) => x.relu(), 'x.relu()'),
  'where [1000, 1000]': op({ ...PAIR, m: [1000, 1000] }, ({ x, y, m }, { where }) => where(m, x, y), 'torch.where(m, x, y)'),
  'pow 3 of 1 M': op(LIST, ({ x }) => x.pow(3), 'x.pow(3)'),
  'pow 1.5 of 1 M': op({ x: [1_000_000] }, ({ x }) => x.pow(1.5), 'x.pow(1.5)'),
  'gt of 1 M': op({ x: [1_000_000], y: [1_000_000] }, ({ x, y }) => x.gt(y), 'x > y'),
  'eq of 1 M to a number': op(LIST, ({ x }) => x.eq(0), 'x == 0'),
  'add of 1 M': op({ x: [1_000_000], y: [1_000_000] }, ({ x, y }) => x.add(y), 'x + y'),
  'add a row to [1000, 1000]': op({ ...SQUARE, y: [1000] }, ({ x, y }) => x.add(y), 'x + y'),
  'mul a column to [1000, 1000]': op({ ...SQUARE, y: [1000, 1] }, ({ x, y }) => x.mul(y), 'x * y'),

  'layerNorm [1024, 768]': op(
    { x: [1024, 768], w: [768], b: [768] },
    ({ x, w, b }, { F }) => F.layerNorm(x, 768, { weight: w, bias: b }),
    'F.layer_norm(x, (768,), w, b)',
  ),
  'layerNorm [1024, 768], backward too': trained(
    { x: [1024, 768], w: [768], b: [768] },
    ({ x, w, b }, { F }) => F.layerNorm(x, 768, { weight: w, bias: b }),
    'F.layer_norm(x, (768,), w, b)',
  ),
  'batchNorm [32, 64, 22, 22], backward too': trained(
    IMAGES,
    ({ x, w, b }, { F }) => F.batchNorm(x, { weight: w, bias: b }),
    'F.batch_norm(x, None, None, w, b, True)',
  ),
  'groupNorm [32, 64, 22, 22] in 8, backward too': trained(
    IMAGES,
    ({ x, w, b }, { F }) => F.groupNorm(x, 8, { weight: w, bias: b }),
    'F.group_norm(x, 8, w, b)',
  ),
}
