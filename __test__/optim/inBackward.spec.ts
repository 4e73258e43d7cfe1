// Updates in the backward pass: the same numbers, without all gradients at once.
import test from 'ava'
import { Linear, ReLU, Sequential } from '../../ts/nn/index.ts'
import { adamW, type BoundOptimizer, lamb, linear, Optimizer, sgd, type StepOptions } from '../../ts/optim/index.ts'
import { isRule } from '../../ts/optim/rule.ts'
import { rules } from '../../ts/optim/rules.gen.ts'
import { memory, randn, seed, tensor, tensorScope, tidy } from '../../ts/tensor/index.ts'

const x = randn([8, 16])

function train(make: (options: StepOptions) => Optimizer, inBackward: boolean, steps = 3): { values: number[]; opt: BoundOptimizer } {
  seed(1)
  const model = new Sequential(new Linear(16, 16), new ReLU(), new Linear(16, 16))
  const opt = make({ inBackward }).bind(model)
  for (let step = 0; step < steps; step++) {
    tidy(() => model.forward(x).square().mean().backward())
    opt.step()
    opt.zeroGrad()
  }
  return { values: model.parameters().flatMap((p) => Array.from(p.dataSync())), opt }
}

test('every rule gives the very same parameters as with a step afterwards', (t) => {
  for (const rule of Object.keys(rules).filter(isRule)) {
    const own = rule === 'lamb' ? { maxGradNorm: 0 } : {}
    const make = (options: StepOptions): Optimizer => new Optimizer(rule, { lr: 0.01, ...own, ...options })
    if (rule === 'muon') continue // takes matrices only; the model has biases
    t.deepEqual(train(make, true).values, train(make, false).values, rule)
  }
})

test('schedules, updaters, averages and bounds of elements work as ever, once an update', (t) => {
  let calls = 0
  const make = (options: StepOptions): Optimizer =>
    sgd({ lr: linear({ from: 0.1, steps: 4 }), momentum: 0.9, clipGradValue: 0.01, updaters: [() => calls++], ...options })
  const [a, b] = [train(make, true), train(make, false)]
  t.deepEqual(a.values, b.values)
  t.is(calls, 6)
  t.is(a.opt.steps, 3)
  t.is(a.opt.paramGroups[0]?.lr, b.opt.paramGroups[0]?.lr)
})

test('a gradient is freed when its parameter is updated', (t) => {
  const peak = (inBackward: boolean): number => {
    const layers = Array.from({ length: 8 }, () => new Linear(128, 128, { bias: false }))
    const model = new Sequential(...layers)
    const opt = sgd({ lr: 0.01, inBackward }).bind(model)
    using _scope = tensorScope()
    const loss = model.forward(randn([1, 128])).sum()
    memory.resetPeak()
    const before = memory().bytes
    loss.backward()
    const most = memory.peak() - before
    t.is(layers.filter(({ weight }) => weight.grad !== null).length, inBackward ? 0 : 8)
    opt.step()
    return most
  }
  const matrix = 128 * 128 * 4
  t.true(peak(true) < 4 * matrix)
  t.true(peak(false) >= 8 * matrix)
})

test('a gradient that was set by hand is taken by step', (t) => {
  const w = tensor([1], { requiresGrad: true })
  const opt = sgd({ lr: 1, inBackward: true }).bind([w])
  w.grad = tensor([0.25])
  opt.step()
  t.is(w.itemSync(), 0.75)
  t.true(w.grad === null)
})

test('what needs all gradients at once is refused', (t) => {
  t.throws(() => adamW({ clipGradNorm: 1, inBackward: true }), {
    code: 'argument',
    message: /adamW: inBackward updates a parameter before/,
  })
  t.throws(() => lamb({ inBackward: true }), { code: 'argument', message: /bound of their norm \(1\)/ })
  t.throws(() => adamW({ accumulate: 2, inBackward: true }), { code: 'argument', message: /windows \(accumulate: 2\)/ })
  const opt = sgd({ inBackward: true }).bind([tensor([1], { requiresGrad: true })])
  t.throws(() => opt.update({ gradAccSteps: 2 }), { code: 'argument', message: /with inBackward the gradients are gone/ })
})

test('after dispose a backward pass updates nothing', (t) => {
  const w = tensor([1], { requiresGrad: true })
  const opt = sgd({ lr: 1, inBackward: true }).bind([w])
  opt.dispose()
  w.sum().backward()
  t.is(w.itemSync(), 1)
  t.is(w.grad?.itemSync(), 1)
})
