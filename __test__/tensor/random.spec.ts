// Random tensors: their distributions, their bits, their independence of threads.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import * as firn from '../../ts/index.ts'
import { draws } from './draws.ts'

const N = 100_000

/** The largest distance of the empirical distribution to `cdf`, times the root of the size: above 1.95 once in a thousand. */
function kolmogorov(data: Float64Array, cdf: (x: number) => number): number {
  const sorted = data.toSorted()
  let worst = 0
  for (const [i, x] of sorted.entries())
    worst = Math.max(worst, Math.abs(cdf(x) - i / sorted.length), Math.abs(cdf(x) - (i + 1) / sorted.length))
  return worst * Math.sqrt(sorted.length)
}

/** The normal distribution's, to 1e-7 (Abramowitz and Stegun, 7.1.26). */
function phi(x: number): number {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2)
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  const erf = 1 - poly * Math.exp((-x * x) / 2)
  return x < 0 ? (1 - erf) / 2 : (1 + erf) / 2
}

const continuous: readonly [what: string, make: () => firn.Tensor<firn.DType>, cdf: (x: number) => number][] = [
  ['rand', () => firn.rand([N]), (x) => x],
  ['rand float64', () => firn.rand([N], { dtype: 'float64' }), (x) => x],
  ['uniform', () => firn.uniform([N], { low: -3, high: 5 }), (x) => (x + 3) / 8],
  ['randn', () => firn.randn([N]), phi],
  ['randn float64', () => firn.randn([N], { dtype: 'float64' }), phi],
  ['normal', () => firn.normal([N], { mean: 2, std: 3 }), (x) => phi((x - 2) / 3)],
  ['logNormal', () => firn.logNormal([N], { mean: 0.5, std: 0.7 }), (x) => phi((Math.log(x) - 0.5) / 0.7)],
  ['exponential', () => firn.exponential([N], { rate: 2 }), (x) => 1 - Math.exp(-2 * x)],
  ['cauchy', () => firn.cauchy([N], { median: 1, sigma: 2 }), (x) => 0.5 + Math.atan((x - 1) / 2) / Math.PI],
]

for (const [what, make, cdf] of continuous) {
  test(`${what} follows its distribution (Kolmogorov and Smirnov)`, (t) => {
    const distances = [1, 2, 3].map((seed) => kolmogorov(firn.withSeed(seed, make).to('float64').dataSync(), cdf))
    t.log(distances.map((d) => d.toFixed(2)).join(' '))
    t.true(Math.max(...distances) < 1.95)
  })
}

/** Pearson's statistic over its degrees of freedom, less 1, in standard deviations. */
function pearson(data: ArrayLike<number | bigint>, probabilities: readonly number[], offset = 0): number {
  const counts = probabilities.map(() => 0)
  for (const value of Array.from(data, Number)) {
    const at = Math.min(value - offset, counts.length - 1)
    counts[at] = (counts[at] ?? 0) + 1
  }
  const sum = counts.reduce((sum, count, i) => {
    const expected = (probabilities[i] ?? 0) * data.length
    return sum + (expected === 0 ? (count === 0 ? 0 : Infinity) : (count - expected) ** 2 / expected)
  }, 0)
  const freedom = probabilities.filter((p) => p > 0).length - 1
  return (sum - freedom) / Math.sqrt(2 * freedom)
}

const tail = (p: number, cells: number) => [...Array.from({ length: cells - 1 }, (_, i) => p * (1 - p) ** i), (1 - p) ** (cells - 1)]

const discrete: readonly [what: string, make: () => firn.Tensor<firn.DType>, probabilities: readonly number[], offset?: number][] = [
  ['randint', () => firn.randint(-3, 7, { shape: [N] }), Array.from({ length: 10 }, () => 0.1), -3],
  ['bernoulli', () => firn.bernoulli([N], 0.3), [0.7, 0.3]],
  ['bernoulli with p a tensor', () => firn.bernoulli([N], firn.full([N], 0.3)), [0.7, 0.3]],
  ['geometric', () => firn.geometric([N], 0.3), tail(0.3, 12), 1],
  ['multinomial', () => firn.multinomial(firn.tensor([1, 0, 3, 4]), N, { replacement: true }), [1 / 8, 0, 3 / 8, 4 / 8]],
  [
    'multinomial, first of three',
    () =>
      firn
        .multinomial(firn.tensor([1, 2, 3, 4]).expand([N / 10, 4]), 3)
        .narrow(1, 0, 1)
        .flatten(),
    [0.1, 0.2, 0.3, 0.4],
  ],
]

for (const [what, make, probabilities, offset] of discrete) {
  test(`${what} follows its distribution (Pearson)`, (t) => {
    const distances = [1, 2, 3].map((seed) => pearson(firn.withSeed(seed, make).dataSync(), probabilities, offset))
    t.log(distances.map((d) => d.toFixed(2)).join(' '))
    t.true(Math.max(...distances) < 4)
  })
}

test('multinomial without replacement draws each once, and none of weight 0', (t) => {
  const drawn = firn
    .multinomial(
      firn.tensor([
        [0, 1, 2, 3],
        [5, 0, 1, 1],
      ]),
      3,
    )
    .sort(1).values
  t.deepEqual(drawn.toArraySync(), [
    [1, 2, 3],
    [0, 2, 3],
  ])
  t.throws(() => firn.multinomial(firn.tensor([0, 1]), 2), { code: 'argument', message: /2 draws need 2 weights above 0, and there are 1/ })
  t.throws(() => firn.multinomial(firn.ones([2]), 3), { code: 'argument', message: /replacement: true/ })
  t.throws(() => firn.multinomial(firn.tensor([-1, 2]), 1), { code: 'argument', message: /one is -1/ })
})

test('uniform numbers stay below the end, in every dtype', (t) => {
  for (const dtype of ['float16', 'bfloat16', 'float32', 'float64'] as const) {
    for (const [low, high] of [
      [0, 1],
      [1, 2],
      [-2, -1],
      [-1, 0],
    ] as const) {
      const x = firn.uniform([N], { low, high, dtype })
      t.true(x.ge(low).all().itemSync() && x.lt(high).all().itemSync(), `${dtype} in [${low}, ${high})`)
      t.true(x.amax().itemSync() > high - 0.05 * (high - low), 'and come near it')
    }
  }
})

test('float64 draws have 53 bits', (t) => {
  const x = firn.rand([1000], { dtype: 'float64' }).mul(2 ** 53)
  t.true(x.eq(x.floor()).all().itemSync())
  const odd = Array.from(x.dataSync()).filter((value) => value % 2 === 1).length
  t.true(odd > 400 && odd < 600, `${odd} of 1000 use the last bit`)
  const z = firn.randn([1000], { dtype: 'float64' })
  t.false(z.eq(z.to('float32').to('float64')).any().itemSync())
})

test('the tails of normal numbers go beyond what 24 bits reach', (t) => {
  let most = 0
  for (let i = 0; i < 10; i++) {
    using _ = firn.tensorScope()
    most = Math.max(
      most,
      firn
        .withSeed(i, () => firn.randn([2_000_000]))
        .abs()
        .amax()
        .itemSync(),
    )
  }
  t.true(most > 5 && most < 6.7, `the largest of 20 million is ${most}`)
})

test('randint covers wide ranges, and keeps within those of its dtype', (t) => {
  const x = firn.randint(-(2 ** 52), 2 ** 52, { shape: [1000] })
  t.true(x.abs().amax().itemSync() > 2 ** 51)
  t.throws(() => firn.randint(0, 300, { shape: [1], dtype: 'uint8' }), {
    code: 'argument',
    message: /299 is outside the range of dtype uint8/,
  })
  t.is(firn.randint(0, 256, { shape: [1000], dtype: 'uint8' }).dtype, 'uint8')
  t.throws(() => firn.randint(0.5, 3, { shape: [1] }), { code: 'argument' })
})

const program = fileURLToPath(new URL('draws.ts', import.meta.url))

function drawnOn(threads: number): unknown {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=firn-source', program], {
    env: { ...process.env, RAYON_NUM_THREADS: String(threads) },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

test('what is drawn does not depend on the number of threads', (t) => {
  const one = drawnOn(1)
  t.deepEqual(drawnOn(2), one)
  t.deepEqual(drawnOn(3), one)
  t.deepEqual(draws(), one)
})

test('what is drawn in float32 is the same in every version and on every machine', (t) => {
  const snapshot = (x: firn.Tensor<firn.DType>) => Array.from(x.dataSync(), Number)
  firn.seed(42)
  t.deepEqual(snapshot(firn.rand([4])), [0.6129598617553711, 0.9877186417579651, 0.8258668184280396, 0.7295992374420166])
  t.deepEqual(snapshot(firn.randn([4])), [2.1276907920837402, 2.0213193893432617, 1.2609460353851318, -0.871128261089325])
  t.deepEqual(snapshot(firn.randint(0, 1000, { shape: [4] })), [520, 883, 355, 941])
  t.deepEqual(snapshot(firn.bernoulli([8], 0.5)), [1, 0, 1, 1, 1, 1, 0, 1])
  t.deepEqual(snapshot(firn.randperm(6)), [1, 5, 0, 2, 4, 3])
  t.deepEqual(snapshot(firn.rand([2], { generator: new firn.Generator(42).fork('noise') })), [0.607026994228363, 0.43411892652511597])
})

test('likes take shape and dtype', (t) => {
  const x = firn.zeros([2, 3], { dtype: 'float64' })
  t.deepEqual(
    [firn.randLike(x).shape, firn.randLike(x).dtype, firn.randnLike(x, { dtype: 'float16' }).dtype],
    [[2, 3], 'float64', 'float16'],
  )
  t.throws(() => firn.randLike(firn.zeros([2], { dtype: 'int64' })), { code: 'dtype' })
})

const refuse = (t: ExecutionContext, make: () => unknown, message: RegExp) => t.throws(make, { code: 'argument', message })

test('parameters out of range are refused', (t) => {
  refuse(t, () => firn.uniform([1], { low: 1, high: 0 }), /uniform: expected finite low <= high and got low = 1, high = 0/)
  refuse(t, () => firn.normal([1], { std: -1 }), /normal: std must be 0 or more and is -1/)
  refuse(t, () => firn.exponential([1], { rate: 0 }), /exponential: rate must be above 0 and is 0/)
  refuse(t, () => firn.cauchy([1], { sigma: 0 }), /cauchy: sigma must be above 0/)
  refuse(t, () => firn.geometric([1], 1), /geometric: p must lie in \(0, 1\) and is 1/)
  refuse(t, () => firn.bernoulli([1], 1.5), /bernoulli: p is a probability in \[0, 1\] and is 1\.5/)
  refuse(t, () => firn.bernoulli([1], firn.tensor([2])), /bernoulli: p is a probability in \[0, 1\] and is 2/)
  t.throws(() => firn.bernoulli([2], firn.tensor([1])), { code: 'shape' })
})
