import test from 'ava'
import { init, Linear } from '../../ts/nn/index.ts'
import { memory, seed, type Tensor, tensorScope, zeros } from '../../ts/tensor/index.ts'

test.beforeEach(() => seed(7))

function moments(tensor: Tensor): { mean: number; std: number; low: number; high: number } {
  const data = Array.from(tensor.dataSync())
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length
  const std = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length)
  return { mean, std, low: Math.min(...data), high: Math.max(...data) }
}

const near = (a: number, b: number, tolerance: number): boolean => Math.abs(a - b) <= tolerance

test('gains are PyTorch’s', (t) => {
  t.is(init.calculateGain('linear'), 1)
  t.is(init.calculateGain('sigmoid'), 1)
  t.is(init.calculateGain('tanh'), 5 / 3)
  t.is(init.calculateGain('relu'), Math.SQRT2)
  t.is(init.calculateGain('leakyRelu'), Math.sqrt(2 / (1 + 0.01 ** 2)))
  t.is(init.calculateGain('leakyRelu', 0.2), Math.sqrt(2 / 1.04))
  t.is(init.calculateGain('selu'), 0.75)
})

test('fans count the kernel, and need two dimensions', (t) => {
  t.deepEqual(init.fans({ shape: [8, 4, 3, 5] }), { fanIn: 60, fanOut: 120 })
  t.throws(() => init.kaimingUniform(zeros([8])), { code: 'shape', message: /at least 2 dimensions, got \[8\]/ })
})

const weight = (): Tensor => zeros([100, 50, 2, 1])
const cases: [name: string, fill: (target: Tensor) => Tensor, std: number][] = [
  ['kaimingUniform', (x) => init.kaimingUniform(x, { a: Math.sqrt(5) }), Math.sqrt(2 / 6) / Math.sqrt(100)],
  ['kaimingUniform fanOut relu', (x) => init.kaimingUniform(x, { mode: 'fanOut', nonlinearity: 'relu' }), Math.sqrt(2 / 200)],
  ['kaimingNormal', (x) => init.kaimingNormal(x), Math.sqrt(2 / 100)],
  ['xavierUniform', (x) => init.xavierUniform(x, { gain: 2 }), 2 * Math.sqrt(2 / 300)],
  ['xavierNormal', (x) => init.xavierNormal(x), Math.sqrt(2 / 300)],
  ['normal', (x) => init.normal(x, { std: 0.3 }), 0.3],
  ['uniform', (x) => init.uniform(x, { low: -3, high: 3 }), Math.sqrt(3)],
]
for (const [name, fill, std] of cases) {
  test(`${name} has mean 0 and the right spread`, (t) => {
    const target = weight()
    t.is(fill(target), target)
    const found = moments(target)
    t.true(near(found.mean, 0, 4 * (std / 100)), `mean ${found.mean}`)
    t.true(near(found.std, std, 0.03 * std), `std ${found.std}, expected ${std}`)
    if (name.includes('niform')) t.true(found.high <= std * Math.sqrt(3) && found.low >= -std * Math.sqrt(3))
    else t.true(found.high > std * 2.5)
  })
}

test('normal and uniform take a mean and bounds; constant, zeros and ones are what they say', (t) => {
  t.true(near(moments(init.normal(weight(), { mean: 5 })).mean, 5, 0.05))
  const { low, high } = moments(init.uniform(weight()))
  t.true(low >= 0 && high < 1)
  t.deepEqual(Array.from(init.constant(zeros([2]), 0.5).dataSync()), [0.5, 0.5])
  t.deepEqual(Array.from(init.ones(zeros([2])).dataSync()), [1, 1])
  t.deepEqual(Array.from(init.zeros(init.ones(zeros([2]))).dataSync()), [0, 0])
})

test('a seed repeats what is drawn', (t) => {
  const draw = (): number[] => {
    seed(3)
    return Array.from(init.normal(zeros([5])).dataSync())
  }
  t.deepEqual(draw(), draw())
})

test('filling a parameter keeps it a trainable leaf and leaves no tensors behind', (t) => {
  const layer = new Linear(4, 4)
  const before = memory().tensors
  init.kaimingNormal(layer.weight)
  t.is(memory().tensors, before)
  t.true(layer.weight.requiresGrad)
  using _ = tensorScope()
  layer
    .forward(zeros([1, 4]))
    .sum()
    .backward()
  t.not(layer.weight.grad, null)
})

test('unknown options and nonlinearities are refused', (t) => {
  t.throws(() => init.normal(zeros([1]), Object.assign({ std: 1 }, { sdt: 2 })), { code: 'argument', message: /sdt/ })
})
