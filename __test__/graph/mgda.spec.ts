import test, { type ExecutionContext } from 'ava'
import { LossNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { leastNorm, lossShares, type Normalization } from '../../ts/graph/mgda.ts'
import { Linear, Module, Parameter } from '../../ts/nn/index.ts'
import { sgd } from '../../ts/optim/index.ts'
import { HyperGraph, train } from '../../ts/run/index.ts'
import { randn, seed, type Tensor, tensor } from '../../ts/tensor/index.ts'
import { folder } from './toys.ts'

/** Products of each two of the vectors. */
const gram = (vectors: readonly (readonly number[])[]): number[][] =>
  vectors.map((a) => vectors.map((b) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)))

const squaredNorm = (products: readonly (readonly number[])[], weights: readonly number[]): number =>
  products.reduce((sum, row, i) => sum + row.reduce((inner, product, j) => inner + product * (weights[i] ?? 0) * (weights[j] ?? 0), 0), 0)

function near(t: ExecutionContext, found: readonly number[], expected: readonly number[], within = 1e-9): void {
  t.is(found.length, expected.length)
  found.forEach((value, i) => t.true(Math.abs(value - (expected[i] ?? NaN)) <= within, `${found.join(' ')} is not ${expected.join(' ')}`))
}

test('two vectors: the point on the line between them, or the shorter one', (t) => {
  near(
    t,
    leastNorm(
      gram([
        [1, 0],
        [0, 1],
      ]),
    ),
    [0.5, 0.5],
  )
  near(
    t,
    leastNorm(
      gram([
        [2, 0],
        [0, 1],
      ]),
    ),
    [0.2, 0.8],
  )
  near(
    t,
    leastNorm(
      gram([
        [1, 0],
        [3, 1],
      ]),
    ),
    [1, 0],
  )
  near(
    t,
    leastNorm(
      gram([
        [1, 0],
        [-3, 0],
      ]),
    ),
    [0.75, 0.25],
  )
  near(
    t,
    leastNorm(
      gram([
        [1, 2],
        [1, 2],
      ]),
    ),
    [0.5, 0.5],
  )
  near(
    t,
    leastNorm(
      gram([
        [0, 0],
        [1, 2],
      ]),
    ),
    [1, 0],
  )
  near(t, leastNorm(gram([[5, 5]])), [1])
})

test('three vectors whose hull holds zero at known weights', (t) => {
  const expected = [0.2, 0.3, 0.5]
  const [a = [], b = []] = [
    [1, 2],
    [-3, 1],
  ]
  const c = a.map((value, i) => -(0.2 * value + 0.3 * (b[i] ?? 0)) / 0.5)
  near(t, leastNorm(gram([a, b, c])), expected, 1e-6)
})

test('no grid of weights finds a shorter average', (t) => {
  seed(11)
  for (let round = 0; round < 40; round++) {
    const numbers = randn([3, 4]).dataSync()
    const products = gram([0, 1, 2].map((row) => Array.from(numbers.slice(4 * row, 4 * row + 4))))
    const weights = leastNorm(products)
    t.true(weights.every((weight) => weight >= 0))
    t.true(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-12)
    const least = squaredNorm(products, weights)
    for (let i = 0; i <= 60; i++) {
      for (let j = 0; i + j <= 60; j++) {
        t.true(squaredNorm(products, [i / 60, j / 60, 1 - (i + j) / 60]) >= least - 1e-9)
      }
    }
  }
})

/** A place that trains. */
class Place extends Module {
  readonly at = new Parameter(tensor([0, 3]))
  forward(): Tensor {
    return this.at.mul(1)
  }
}

/** Half the squared distance of `z` to a point, times a factor. */
const distance = (z: Tensor, to: readonly number[], factor = 1): Tensor =>
  z
    .sub(tensor(to))
    .square()
    .sum()
    .mul(factor / 2)

function towards(points: readonly (readonly [to: readonly number[], factor: number])[], normalize: Normalization = 'none') {
  const module = new Place()
  const graph = new HyperGraph().add('place', new ModuleNode({ module, optimizers: sgd({ lr: 0.1 }), forward: (n) => n.module.forward() }))
  for (const [i, [to, factor]] of points.entries()) {
    graph.add(`loss${i}`, new LossNode({ mode: 'mgda', shared: 'place', normalize, forward: (_, x) => distance(x.place, to, factor) }))
  }
  return { module, graph }
}

test('two quadratic losses: descent ends between their minima, and each step has the shares of the closed form', async (t) => {
  const { module, graph } = towards([
    [[-1, 0], 1],
    [[1, 0], 1],
  ])
  // From [0, 3] the shares are equal by symmetry: the way leads straight down to [0, 0].
  await graph.run([train({ steps: 200 })], { outDir: folder(t) })
  near(t, [...module.at.dataSync()], [0, 0], 1e-5)
  // Beside the segment: the closed form of the paper, (g2 - g1) . g2 / |g1 - g2|^2, clipped.
  const z = tensor([0.4, 0.5], { requiresGrad: true })
  const shares = lossShares([distance(z, [-1, 0]), distance(z, [1, 0])], [z], 'none')
  const [g1, g2] = [
    [1.4, 0.5],
    [-0.6, 0.5],
  ] as const
  const difference = [g2[0] - g1[0], g2[1] - g1[1]] as const
  const first = (difference[0] * g2[0] + difference[1] * g2[1]) / (difference[0] ** 2 + difference[1] ** 2)
  near(t, shares, [first, 1 - first], 1e-6)
})

test('where one loss grows along the sum of both, its share keeps it from growing', async (t) => {
  // Fixed weights would follow the loss that is a hundred times as large.
  const { module, graph } = towards([
    [[-1, 0], 100],
    [[1, 0], 1],
  ])
  const before = [distance(module.at, [-1, 0]).itemSync(), distance(module.at, [1, 0]).itemSync()]
  await graph.run([train({ steps: 300 })], { outDir: folder(t) })
  const after = [distance(module.at, [-1, 0]).itemSync(), distance(module.at, [1, 0]).itemSync()]
  t.true(
    after.every((value, i) => value < (before[i] ?? 0)),
    `${before.join(' ')} -> ${after.join(' ')}`,
  )
})

test('three quadratic losses: a place inside the triangle of their minima stays where it is', async (t) => {
  const { module, graph } = towards([
    [[-3, 0], 1],
    [[3, 0], 1],
    [[0, 9], 1],
  ])
  await graph.run([train({ steps: 50 })], { outDir: folder(t) })
  near(t, [...module.at.dataSync()], [0, 3], 1e-5)
})

test('normalised gradients are compared by direction: factors of the losses do not matter', (t) => {
  const shares = (factor: number, normalize: Normalization) => {
    const z = tensor([0.4, 0.5], { requiresGrad: true })
    return lossShares([distance(z, [-1, 0], factor), distance(z, [1, 0])], [z], normalize)
  }
  for (const normalize of ['l2', 'loss'] as const) near(t, shares(50, normalize), shares(1, normalize), 1e-6)
  t.notDeepEqual(shares(50, 'none'), shares(1, 'none'))
  // Two directions of one length: each counts the same.
  near(t, shares(1, 'l2'), [0.5, 0.5], 1e-9)
  const z = tensor([0.4, 0.5], { requiresGrad: true })
  const [a, b] = [distance(z, [-1, 0]), distance(z, [1, 0])] as const
  const [first, second] = [a.itemSync() * Math.hypot(1.4, 0.5), b.itemSync() * Math.hypot(0.6, 0.5)]
  near(
    t,
    shares(1, 'loss+'),
    leastNorm(
      gram([
        [1.4 / first, 0.5 / first],
        [-0.6 / second, 0.5 / second],
      ]),
    ),
    1e-6,
  )
})

test('without normalisation every loss falls along the average gradient; with it, as in the program of the authors, one may rise', (t) => {
  const gradients = [
    [10, 0],
    [-0.5, Math.sqrt(0.75)],
  ]
  const descent = (normalize: Normalization) => {
    const z = tensor([0, 0], { requiresGrad: true, dtype: 'float64' })
    const losses = gradients.map((gradient) =>
      z
        .mul(tensor(gradient, { dtype: 'float64' }))
        .sum()
        .add(1)
        .float(),
    )
    const shares = lossShares(losses, [z], normalize)
    const along = [0, 1].map((k) => gradients.reduce((sum, gradient, i) => sum + (gradient[k] ?? 0) * (shares[i] ?? 0), 0))
    return gradients.map((gradient) => gradient.reduce((sum, value, k) => sum + value * (along[k] ?? 0), 0))
  }
  t.true(descent('none').every((slope) => slope > 0))
  near(t, descent('l2'), [47.5, -2], 1e-6)
})

test('gradients that are not finite give equal shares, and zero gradients are no division by zero', (t) => {
  const z = tensor([1, 2], { requiresGrad: true })
  t.deepEqual(lossShares([z.sum().mul(Infinity), z.sum()], [z], 'none'), [0.5, 0.5])
  near(t, lossShares([z.sum().mul(0), z.sum()], [z], 'l2'), [1, 0])
})

test('heads train by the share of their loss; reports say the share; other losses keep their weight', async (t) => {
  seed(5)
  const encoder = new Linear(3, 4)
  const heads = [new Linear(4, 1), new Linear(4, 1)] as const
  const input = randn([6, 3])
  const graph = new HyperGraph()
    .add('encoder', new ModuleNode({ module: encoder, optimizers: sgd({ lr: 0 }), forward: (n) => n.module.forward(input) }))
    .add('left', new ModuleNode({ module: heads[0], optimizers: sgd({ lr: 0 }), forward: (n, x) => n.module.forward(x.encoder) }))
    .add('right', new ModuleNode({ module: heads[1], optimizers: sgd({ lr: 0 }), forward: (n, x) => n.module.forward(x.encoder) }))
    .add('a', new LossNode({ mode: 'mgda', shared: 'encoder', forward: (_, x) => x.left.square().mean() }))
    .add('b', new LossNode({ mode: 'mgda', shared: 'encoder', forward: (_, x) => x.right.square().mean().mul(3) }))
    .add('decay', new LossNode({ weight: 0.5, forward: () => encoder.weight.square().sum() }))
  const seen: [string, number][] = []
  graph.events.on('scalar', ({ name, value }) => void seen.push([name, value]))
  const gradients: number[][] = []
  graph.add('look', new Node({ backward: () => void gradients.push(...heads.map(({ bias }) => [...(bias?.grad?.dataSync() ?? [])])) }))
  const { metrics } = await graph.run([train({ steps: 1, simulateEpoch: true })], { outDir: folder(t) })
  const shares = ['a/share', 'b/share'].map((name) => seen.find(([key]) => key === name)?.[1] ?? NaN)
  near(t, [(shares[0] ?? 0) + (shares[1] ?? 0)], [1], 1e-12)
  t.deepEqual([metrics.train['a/share'], metrics.train['b/share']], shares)
  // d mean(y^2) / d bias = 2 mean(y), times the share.
  const expected = heads.map((head, i) => 2 * head.forward(encoder.forward(input)).mean().itemSync() * (i === 0 ? 1 : 3) * (shares[i] ?? 0))
  near(
    t,
    gradients.map(([only = NaN]) => only),
    expected,
    1e-5,
  )
})

test('options that mean nothing together are refused', async (t) => {
  const forward = (): Tensor => tensor([1])
  const make = (options: object) => () => new LossNode({ ...options, forward })
  t.throws(make({ mode: 'mgda' }), { code: 'argument', message: /wants 'shared'/ })
  t.throws(make({ mode: 'mgda', shared: 'net', weight: 2 }), { code: 'argument', message: /leave 'weight' out/ })
  t.throws(make({ shared: 'net' }), { code: 'argument', message: /go with mode 'mgda'/ })
  t.throws(make({ mode: 'best' }), { code: 'argument', message: /mode 'best', expected 'fixed' or 'mgda'/ })
  t.throws(make({ mode: 'mgda', shared: 'net', normalize: 'l1' }), {
    code: 'argument',
    message: /normalize 'l1', expected one of none, l2, loss, loss\+/,
  })
  const { graph } = towards([[[-1, 0], 1]])
  graph.add('other', new LossNode({ mode: 'mgda', shared: 'place', normalize: 'l2', forward: (_, x) => x.get<Tensor>('place').sum() }))
  await t.throwsAsync(graph.step(), {
    code: 'argument',
    message: /losses 'loss0' and 'other': mode 'mgda' wants one 'shared' and one 'normalize'/,
  })
  const frozen = new HyperGraph().add('place', new Node({ forward: () => tensor([1, 2]) }))
  frozen.add('loss', new LossNode({ mode: 'mgda', shared: 'place', forward: (_, x) => x.get<Tensor>('place').sum() }))
  await t.throwsAsync(frozen.step(), { code: 'autograd', message: /the output of the shared node needs no gradient/ })
})
