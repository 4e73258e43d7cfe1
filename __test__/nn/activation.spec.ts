import test from 'ava'
import { ELU, GELU, LeakyReLU, LogSoftmax, type Module, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh } from '../../ts/nn/index.ts'
import { type Tensor, tensor } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'

const xs = [-2, -0.5, 0, 1.5]
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const total = sum(xs.map(Math.exp))

const cases: [layer: Module & { forward(x: Tensor): Tensor }, f: (x: number) => number][] = [
  [new ReLU(), (x) => Math.max(x, 0)],
  [new LeakyReLU(), (x) => (x > 0 ? x : 0.01 * x)],
  [new LeakyReLU({ negativeSlope: 0.3 }), (x) => (x > 0 ? x : 0.3 * x)],
  [new ELU({ alpha: 0.5 }), (x) => (x > 0 ? x : 0.5 * Math.expm1(x))],
  [new SiLU(), (x) => x * sigmoid(x)],
  [new Sigmoid(), sigmoid],
  [new Tanh(), Math.tanh],
  [new Softplus(), (x) => Math.log1p(Math.exp(x))],
  [new Softmax(-1), (x) => Math.exp(x) / total],
  [new LogSoftmax(0), (x) => x - Math.log(total)],
]
for (const [layer, f] of cases) {
  test(`${layer} is what it says`, (t) => {
    closeTo(t, layer.forward(tensor(xs)), xs.map(f), { rtol: 1e-5 })
    t.deepEqual(layer.stateDict(), {})
  })
}

test('GELU is the exact one', (t) => {
  closeTo(t, new GELU().forward(tensor(xs)), [-0.04550026, -0.15426877, 0, 1.39978918], { rtol: 1e-4 })
})

test('unknown options are refused', (t) => {
  t.throws(() => new LeakyReLU(Object.assign({ negativeSlope: 1 }, { slope: 1 })), { code: 'argument', message: /slope/ })
})
