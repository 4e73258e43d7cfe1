// Every rule goes where losses are small: to the bottom of a parabola, and down Rosenbrock's valley.
import test from 'ava'
import { Optimizer, type RuleName } from '../../ts/optim/index.ts'
import { isRule } from '../../ts/optim/rule.ts'
import { rules } from '../../ts/optim/rules.gen.ts'
import { type DType, type Tensor, tensor, tidy } from '../../ts/tensor/index.ts'

/** Rates for the parabola and for the valley, and what a rule needs beside. */
const settings: Readonly<Record<RuleName, readonly [parabola: number, valley: number, options?: object]>> = {
  sgd: [0.1, 1e-3],
  adam: [0.1, 0.02],
  adamW: [0.1, 0.02],
  nAdam: [0.1, 0.02],
  rAdam: [0.1, 0.002],
  adamax: [0.2, 0.02],
  adagrad: [0.5, 0.1],
  adadelta: [1, 1, { eps: 1e-3 }],
  rmsProp: [0.02, 0.005],
  rProp: [0.1, 0.01],
  asgd: [0.1, 1e-3],
  lion: [0.02, 0.002],
  lars: [5, 0.5, { trustCoeff: 0.02, weightDecay: 1e-4 }],
  lamb: [0.02, 0.005],
  adafactor: [0.3, 0.05],
  muon: [0.02, 0.005],
  scheduleFreeAdamW: [0.2, 0.05],
  adam8bit: [0.1, 0.02],
  adamW8bit: [0.1, 0.02],
}

const parabola = (w: Tensor<DType>): Tensor<DType> =>
  w
    .sub(
      tensor([
        [1, 2],
        [3, -1],
      ]),
    )
    .square()
    .mul(
      tensor([
        [1, 2],
        [0.5, 1],
      ]),
    )
    .sum()

/** Rosenbrock's function of each row. */
function valley(w: Tensor<DType>): Tensor<DType> {
  const [a, b] = [w.select(1, 0), w.select(1, 1)]
  return a.neg().add(1).square().add(b.sub(a.square()).square().mul(100)).sum()
}

function descend(rule: RuleName, lr: number, steps: number, loss: typeof parabola, from: readonly (readonly number[])[]): [number, number] {
  const { 2: options = {} } = settings[rule]
  const w = tensor(from, { requiresGrad: true })
  using opt = new Optimizer(rule, { ...options, lr }).bind([w])
  const now = (): number => tidy(() => Number(loss(w.detach()).itemSync()))
  const first = now()
  for (let step = 0; step < steps; step++) {
    tidy(() => void loss(w).backward())
    opt.update()
  }
  return [first, now()]
}

for (const rule of Object.keys(rules).filter(isRule)) {
  const [slow, careful] = settings[rule]

  test(`${rule} comes to the bottom of a parabola`, (t) => {
    const [first, last] = descend(rule, slow, 400, parabola, [
      [0.5, -1],
      [1, 1],
    ])
    t.true(last < 0.02 * first, `${first} -> ${last}`)
  })

  test(`${rule} goes down the valley`, (t) => {
    const [first, last] = descend(rule, careful, 400, valley, [
      [-1.2, 1],
      [0.5, 1.5],
    ])
    t.true(last < 0.1 * first, `${first} -> ${last}`)
  })
}
