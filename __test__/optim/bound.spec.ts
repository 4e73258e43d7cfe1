import test from 'ava'
import { Linear } from '../../ts/nn/index.ts'
import { adamW, type BoundOptimizer, constant, linear, sgd, type StepOptions, type UpdaterContext } from '../../ts/optim/index.ts'
import { memory, ones, type Tensor, tensor, tensorScope } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'

/** One parameter of value 1 whose gradient is what `push` is given, added to what is there. */
function single(options: StepOptions & { lr?: number } = {}): { w: Tensor; opt: BoundOptimizer; push: (...values: number[]) => void } {
  const w = tensor([1], { requiresGrad: true })
  const opt = sgd({ lr: 1, ...options }).bind([w])
  const push = (...values: number[]): void => {
    for (const value of values) w.mul(value).sum().backward()
  }
  return { w, opt, push }
}

test('step moves what has a gradient and leaves the gradients; zeroGrad drops them', (t) => {
  const [a, b] = [ones([2], { requiresGrad: true }), ones([2], { requiresGrad: true })]
  const opt = adamW({ lr: 0.1 }).bind([a, b])
  a.sum().backward()
  t.deepEqual(opt.step(), { kind: 'stepped', gradNorm: null })
  t.not(a.grad, null)
  t.notDeepEqual(Array.from(a.dataSync()), [1, 1])
  t.deepEqual(Array.from(b.dataSync()), [1, 1])
  t.deepEqual(Object.keys(opt.stateDict().state), ['0'])
  opt.zeroGrad()
  t.is(a.grad, null)
})

test('a gradient of zero is a real step', (t) => {
  const { w, opt, push } = single()
  push(0)
  opt.step()
  t.is(opt.stateDict().state['0']?.['step']?.itemSync(), 1)
  t.is(w.itemSync(), 1)
})

test('a step does not change tensors that share the value', (t) => {
  const { w, opt, push } = single()
  const [before, clone] = [w.detach(), w.clone()]
  push(0.5)
  opt.step()
  t.is(w.itemSync(), 0.5)
  t.is(before.itemSync(), 1)
  t.is(clone.itemSync(), 1)
})

test('the rate may be read and set at any time, and a wrong one is refused at the step', (t) => {
  const { w, opt, push } = single()
  const [group] = opt.paramGroups
  if (!group) return t.fail()
  group.lr = 0.25
  push(1)
  opt.step()
  t.is(w.itemSync(), 0.75)
  t.is(group.initialLr, 1)
  group.lr = NaN
  t.throws(() => opt.step(), { code: 'argument', message: /lr must be >= 0, got NaN/ })
  group.lr = 1
  group.options['momentum'] = -1
  t.throws(() => opt.step(), { code: 'argument', message: /momentum must be >= 0, got -1/ })
})

test('a schedule gives the rate of each update', (t) => {
  const w = tensor([0], { requiresGrad: true })
  const opt = sgd({ lr: linear({ from: 1, steps: 4 }) }).bind([w])
  const seen: number[] = []
  for (let step = 0; step < 5; step++) {
    seen.push(opt.paramGroups[0]?.lr ?? NaN)
    w.grad = ones([1])
    opt.step()
  }
  t.deepEqual(seen, [1, 0.75, 0.5, 0.25, 0])
  closeTo(t, w, [-2.5])
})

test('a window is counted from its first micro-batch, and its gradients are averaged', (t) => {
  const { w, opt, push } = single()
  const kinds: string[] = []
  for (const value of [0.1, 0.3, 0.5, 0.1]) {
    push(value)
    kinds.push(opt.update({ gradAccSteps: 2 }).kind)
  }
  t.deepEqual(kinds, ['accumulating', 'stepped', 'accumulating', 'stepped'])
  closeTo(t, w, [1 - 0.2 - 0.3])
  t.is(w.grad, null)
  t.is(opt.steps, 2)
})

test('an accumulated window equals one big batch', (t) => {
  const x = tensor([
    [1, 2],
    [3, 5],
    [-1, 0],
    [2, 2],
  ])
  const train = (parts: number): number[] => {
    const layer = new Linear(2, 1)
    layer.loadStateDict({ weight: tensor([[0.5, -0.5]]), bias: tensor([0]) })
    const opt = adamW({ lr: 0.1, accumulate: parts }).bind(layer)
    for (let step = 0; step < 3; step++) {
      for (let part = 0; part < parts; part++) {
        layer
          .forward(x.narrow(0, (part * 4) / parts, 4 / parts))
          .square()
          .mean()
          .backward()
        opt.update()
      }
    }
    return Array.from(layer.weight.dataSync())
  }
  closeTo(t, train(4), train(1), { rtol: 1e-5 })
  closeTo(t, train(2), train(1), { rtol: 1e-5 })
})

test('accumulate goes before gradAccSteps, and each optimizer counts for itself', (t) => {
  const a = single({ accumulate: 3 })
  const b = single()
  const steps = [a, b].map(({ opt, push }) =>
    Array.from({ length: 6 }, () => {
      push(1)
      return opt.update({ gradAccSteps: 2 }).kind === 'stepped'
    }),
  )
  t.deepEqual(steps, [
    [false, false, true, false, false, true],
    [false, true, false, true, false, true],
  ])
})

test('flush closes a partial window by its own count, and nothing leaks into the next', (t) => {
  const { w, opt, push } = single({ accumulate: 4 })
  push(0.2)
  opt.update()
  push(0.4)
  t.deepEqual(opt.update(), { kind: 'accumulating', count: 2, window: 4 })
  t.is(opt.flush()?.kind, 'stepped')
  closeTo(t, w, [0.7])
  t.is(opt.flush(), null)
  push(1)
  t.deepEqual(opt.update(), { kind: 'accumulating', count: 1, window: 4 })
})

test('weights: the window divides by their sum, and a window without weight is skipped', (t) => {
  const { w, opt, push } = single({ accumulate: 2 })
  push(3)
  opt.update({ weight: 10 })
  push(1)
  opt.update({ weight: 30 })
  closeTo(t, w, [0.9])
  push(1)
  opt.update({ weight: 0 })
  t.deepEqual(opt.update({ weight: 0 }), { kind: 'skipped', reason: 'zeroWeight' })
  closeTo(t, w, [0.9])
  t.throws(() => opt.update({ weight: -1 }), { code: 'argument', message: /weight must be a number >= 0, got -1/ })
  t.throws(() => opt.update({ gradAccSteps: 0 }), { code: 'argument', message: /gradAccSteps must be >= 1, got 0/ })
})

test('clipGradNorm bounds the norm of the averaged gradients, over all groups together', (t) => {
  const [a, b] = [tensor([0], { requiresGrad: true }), tensor([0], { requiresGrad: true })]
  for (const bind of [
    [a, b],
    [{ params: [a] }, { params: [b] }],
  ]) {
    const opt = sgd({ lr: 1, clipGradNorm: 1 }).bind(bind)
    a.update(() => tensor([0])).grad = tensor([6])
    b.update(() => tensor([0])).grad = tensor([8])
    const result = opt.update({ weight: 2 })
    t.is(result.kind === 'stepped' ? result.gradNorm : null, 5)
    closeTo(t, [a.itemSync(), b.itemSync()], [-0.6, -0.8], { rtol: 1e-5 })
    a.grad = tensor([0.3])
    b.grad = tensor([0.4])
    opt.update()
    closeTo(t, [a.itemSync(), b.itemSync()], [-0.9, -1.2], { rtol: 1e-5 })
  }
})

test('clipGradValue clamps after the norm', (t) => {
  const w = tensor([0, 0], { requiresGrad: true })
  const opt = sgd({ lr: 1, clipGradNorm: 5, clipGradValue: 3.5 }).bind([w])
  w.grad = tensor([6, 8])
  opt.step()
  closeTo(t, w, [-3, -3.5], { rtol: 1e-5 })
})

test('updaters run at each real update, for each group, after the schedule', (t) => {
  const seen: Omit<UpdaterContext, 'group'>[] = []
  const rates: number[] = []
  const [a, b] = [ones([1], { requiresGrad: true }), ones([1], { requiresGrad: true })]
  const opt = sgd({
    lr: constant({ from: 1 }),
    accumulate: 2,
    updaters: [
      ({ group, ...rest }) => {
        seen.push(rest)
        rates.push(group.lr)
        group.lr = group.initialLr / 4
      },
    ],
  }).bind([{ params: [a] }, { params: [b], lr: 0.5 }])
  const node = { name: 'net' }
  for (let i = 0; i < 4; i++) {
    if (a.grad === null) a.grad = ones([1])
    opt.update({ node, currentEpoch: 1, epochSteps: i, epochSize: 9, globalSteps: 10 + i })
  }
  const told = (i: number) => ({ node, currentEpoch: 1, epochSteps: i, epochSize: 9, globalSteps: 10 + i })
  t.deepEqual(seen, [told(1), told(1), told(3), told(3)])
  t.deepEqual(rates, [1, 0.5, 1, 0.125])
  closeTo(t, a, [1 - (0.5 + 0.5) / 4])
})

test('outside a graph updaters are told the optimizer’s own counts', (t) => {
  const seen: number[] = []
  const { opt, push } = single({ updaters: [({ globalSteps }) => seen.push(globalSteps)] })
  for (let i = 0; i < 3; i++) {
    push(1)
    opt.step()
  }
  t.deepEqual(seen, [0, 1, 2])
})

test('a scaled window is unscaled; one that is not finite is skipped and advances nothing', (t) => {
  const records: (boolean | null)[] = []
  const gradScaler = { begin: () => ({ factor: 1 / 8, finite: null }), record: (finite: boolean | null) => records.push(finite) }
  const w = tensor([1], { requiresGrad: true })
  const opt = adamW({ lr: linear({ from: 1, steps: 10 }), clipGradNorm: 100 }).bind([w])
  w.grad = tensor([Infinity])
  t.deepEqual(opt.update({ gradScaler }), { kind: 'skipped', reason: 'nonFinite' })
  t.is(w.itemSync(), 1)
  t.true(w.grad === null)
  t.is(opt.steps, 0)
  t.is(opt.paramGroups[0]?.lr, 1)
  t.deepEqual(opt.stateDict().state, {})
  w.grad = tensor([4])
  const result = opt.update({ gradScaler })
  t.is(result.kind === 'stepped' ? result.gradNorm : null, 0.5)
  t.deepEqual(records, [false, true])
})

test('unknown options of an update are refused', (t) => {
  const { opt } = single()
  t.throws(() => opt.update(Object.assign({ gradAccSteps: 1 }, { gradAccStep: 2 })), { code: 'argument', message: /gradAccStep/ })
})

test('steps leave no tensors behind but the state, which dispose frees', (t) => {
  const layer = new Linear(3, 2)
  const before = memory().tensors
  const opt = adamW({ lr: 0.1, clipGradNorm: 1 }).bind(layer)
  const run = (): void => {
    using _ = tensorScope()
    layer
      .forward(ones([4, 3]))
      .sum()
      .backward()
    opt.update()
  }
  run()
  const after = memory()
  t.is(after.tensors, before + 4)
  for (let i = 0; i < 20; i++) run()
  t.deepEqual(memory(), after)
  opt.dispose()
  t.is(memory().tensors, before)
})
