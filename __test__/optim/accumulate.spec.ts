// Accumulation over micro-batches: the training of the whole batch, however it is cut.
import test from 'ava'
import { crossEntropy } from '../../ts/nn/functional.gen.ts'
import { Linear, Sequential, Tanh } from '../../ts/nn/index.ts'
import { adamW, type BoundOptimizer, linear } from '../../ts/optim/index.ts'
import { randint, randn, seed, type FloatDType, type Tensor, tidy } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'

seed(3)
const images = randn([60, 6])
const labels = randint(0, 4, { shape: [60] })
const tolerance = { rtol: 0, atol: 2e-6 }

/** A network trained by `epoch`, which is to make five updates of twelve samples each. */
function trained(
  epoch: (opt: BoundOptimizer, backward: (from: number, to: number, reduction?: 'mean' | 'sum') => void) => void,
): Tensor<FloatDType>[] {
  seed(7)
  const model = new Sequential(new Linear(6, 8), new Tanh(), new Linear(8, 4))
  const opt = adamW({ lr: linear({ from: 1e-2, steps: 10 }), clipGradNorm: 0.5 }).bind(model)
  epoch(opt, (from, to, reduction = 'mean') =>
    tidy(() => crossEntropy(model.forward(images.slice([from, to])), labels.slice([from, to]), { reduction }).backward()),
  )
  return model.parameters()
}

const whole = trained((opt, backward) => {
  for (let from = 0; from < 60; from += 12) {
    backward(from, from + 12)
    opt.step()
    opt.zeroGrad()
  }
})

for (const parts of [1, 2, 3, 4, 6, 12]) {
  const size = 12 / parts
  test(`windows of ${parts} micro-batches train as the whole batch does`, (t) => {
    const found = trained((opt, backward) => {
      for (let from = 0; from < 60; from += size) {
        backward(from, from + size)
        const { kind } = opt.update({ gradAccSteps: parts })
        t.is(kind, (from + size) % 12 === 0 ? 'stepped' : 'accumulating')
      }
      t.is(opt.steps, 5)
    })
    found.forEach((param, i) => closeTo(t, param, whole[i]?.dataSync() ?? [], tolerance))
  })

  test(`${parts} micro-batches of summed losses, weighed by their samples, train as the whole batch does`, (t) => {
    const found = trained((opt, backward) => {
      for (let from = 0; from < 60; from += size) {
        backward(from, from + size, 'sum')
        opt.update({ gradAccSteps: parts, weight: size })
      }
    })
    found.forEach((param, i) => closeTo(t, param, whole[i]?.dataSync() ?? [], tolerance))
  })
}

test('a last window that is not full is divided by its own micro-batches, and leaves nothing for the next', (t) => {
  // Twenty samples of micro-batches of four: windows of three, and one of two.
  const cuts = [
    [0, 12],
    [12, 20],
  ] as const
  const expected = trained((opt, backward) => {
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const [from, to] of cuts) {
        backward(from, to)
        opt.step()
        opt.zeroGrad()
      }
    }
  })
  const found = trained((opt, backward) => {
    for (let epoch = 0; epoch < 3; epoch++) {
      for (let from = 0; from < 20; from += 4) {
        backward(from, from + 4)
        opt.update({ gradAccSteps: 3 })
      }
      t.is(opt.flush()?.kind, 'stepped')
      t.is(opt.flush(), null)
    }
    t.is(opt.steps, 6)
  })
  found.forEach((param, i) => closeTo(t, param, expected[i]?.dataSync() ?? [], tolerance))
})

test('micro-batches of unequal size, weighed by their samples, train as the whole batch does', (t) => {
  const found = trained((opt, backward) => {
    for (let from = 0; from < 60; from += 12) {
      for (const [at, end] of [
        [0, 5],
        [5, 6],
        [6, 12],
      ] as const) {
        backward(from + at, from + end, 'sum')
        opt.update({ gradAccSteps: 3, weight: end - at })
      }
    }
  })
  found.forEach((param, i) => closeTo(t, param, whole[i]?.dataSync() ?? [], tolerance))
})
