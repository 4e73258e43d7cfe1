import test from 'ava'
import { adamW, scheduleFreeAdamW } from '../../ts/optim/index.ts'
import { ones, tensor } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'

const options = { lr: 0.1, betas: [0.8, 0.9] } as const

function trained(dtype: 'float16' | 'float32' | 'float64' = 'float32', steps = 3) {
  const w = tensor([1, -2], { requiresGrad: true, dtype })
  const opt = scheduleFreeAdamW(options).bind([w])
  const step = (): void => {
    w.grad = w.detach().mul(2)
    opt.step()
  }
  for (let i = 0; i < steps; i++) step()
  return { w, opt, step }
}

test('eval moves the parameters to their average, train back to where gradients are taken', (t) => {
  const { w, opt } = trained('float64')
  const before = Array.from(w.dataSync(), Number)
  const z = Array.from(opt.stateDict().state['0']?.['z']?.dataSync() ?? [], Number)
  opt.eval()
  // y = (1 - b1) z + b1 x, so x = y + (1 - 1 / b1)(z - y).
  closeTo(
    t,
    w,
    before.map((y, i) => (y - 0.2 * (z[i] ?? NaN)) / 0.8),
    { rtol: 1e-14, atol: 1e-14 },
  )
  const there = Array.from(w.dataSync(), Number)
  opt.eval()
  t.deepEqual(Array.from(w.dataSync(), Number), there)
  opt.train()
  closeTo(t, w, before, { rtol: 1e-14, atol: 1e-14 })
  opt.train()
  closeTo(t, w, before, { rtol: 1e-14, atol: 1e-14 })
})

test('after the first step the average is the iterate', (t) => {
  const { w, opt } = trained('float64', 1)
  opt.eval()
  closeTo(t, w, Array.from(opt.stateDict().state['0']?.['z']?.dataSync() ?? [], Number), { rtol: 1e-12 })
})

test('no step is made while the parameters are evaluated', (t) => {
  const { w, opt, step } = trained()
  opt.eval()
  w.grad = ones([2])
  for (const call of [() => opt.step(), () => opt.update()])
    t.throws(call, { code: 'argument', message: /step: the parameters are where they are evaluated; call train\(\)/ })
  t.is(opt.steps, 3)
  opt.train()
  t.notThrows(step)
})

for (const dtype of ['float16', 'float32'] as const) {
  for (const mode of ['train', 'eval'] as const) {
    test(`${dtype}: saved in mode ${mode}, it goes on from there`, (t) => {
      const { w, opt, step } = trained(dtype)
      opt[mode]()
      const state = opt.stateDict()
      const copy = w.detach().clone()
      copy.requiresGrad = true
      const other = scheduleFreeAdamW(options).bind([copy])
      other.loadStateDict(state)
      if (mode === 'eval') {
        t.throws(() => other.step(), { message: /call train\(\)/ })
        opt.train()
        other.train()
      }
      t.deepEqual(Array.from(copy.dataSync(), Number), Array.from(w.dataSync(), Number))
      step()
      copy.grad = w.grad
      other.step()
      t.deepEqual(Array.from(copy.dataSync(), Number), Array.from(w.dataSync(), Number))
      t.is(other.stateDict().mode, undefined)
    })
  }
}

test('other optimizers have no such modes', (t) => {
  const opt = adamW().bind([ones([1], { requiresGrad: true })])
  t.throws(() => opt.eval(), { code: 'argument', message: /adamW.eval: only the parameters of scheduleFreeAdamW differ/ })
  t.throws(() => opt.train(), { code: 'argument', message: /adamW.train: only/ })
})

test('a beta changed while the parameters are evaluated does not change the way back', (t) => {
  const { w, opt } = trained('float64')
  const before = Array.from(w.dataSync(), Number)
  opt.eval()
  const [group] = opt.paramGroups
  if (!group) return t.fail()
  group.options['betas'] = [0.5, 0.9]
  opt.train()
  closeTo(t, w, before, { rtol: 1e-14, atol: 1e-14 })
})
