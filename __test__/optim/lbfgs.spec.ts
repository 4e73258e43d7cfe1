import test from 'ava'
import { decodeSafetensors, encodeSafetensors, joinState, splitState } from '../../ts/io/index.ts'
import { type BoundLbfgs, lbfgs } from '../../ts/optim/index.ts'
import { type DType, memory, ones, type Tensor, tensor, tidy } from '../../ts/tensor/index.ts'
import { closeTo, fixture, fromStored } from '../helpers.ts'
import { revive } from './torchCases.ts'

const { cases } = fixture('lbfgs')
type Case = (typeof cases)[number]
type Params = readonly Tensor<DType>[]

/** The problems of scripts/fixtures/lbfgs.py. */
const problems = {
  rosenbrock: ([x = ones([2])]: Params): Tensor<DType> => {
    const [a, b] = [x.select(0, 0), x.select(0, 1)]
    return a.neg().add(1).square().add(b.sub(a.square()).square().mul(100))
  },
  quadratic: ([w = ones([2, 2]), b = ones([2])]: Params): Tensor<DType> => {
    const weights = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: w.dtype },
    )
    return w.sub(1).square().mul(weights).sum().add(b.mul(b).sum()).add(w.sum().mul(b.sum()).div(4))
  },
}

// In float32 the searches part from PyTorch's by their roundings, which the valley's walls of Rosenbrock's function enlarge.
const close = ({ dtype, problem }: Case) => {
  const bound = dtype === 'float64' ? 1e-9 : problem === 'rosenbrock' ? 3e-3 : 1e-5
  return { rtol: bound, atol: bound }
}

function step(opt: BoundLbfgs, { problem, options }: Case): number {
  return opt.step(() => {
    opt.zeroGrad()
    const loss = problems[problem](opt.params)
    const signed = options.maximize === true ? loss.neg() : loss
    signed.backward()
    return signed
  }).loss
}

const bind = ({ options }: Case, values: Params): BoundLbfgs => {
  for (const value of values) value.requiresGrad = true
  return lbfgs(options).bind(values)
}

for (const one of cases) {
  test(`${one.problem}, ${one.name}, ${one.dtype}: every step equals PyTorch’s, and so does one that goes on from its state`, (t) => {
    const opt = bind(
      one,
      one.start.map((value) => tensor(value, { dtype: one.dtype })),
    )
    for (const [i, loss] of one.losses.entries()) {
      closeTo(t, [step(opt, one)], [loss], close(one), `loss of step ${i}`)
      for (const [k, param] of opt.params.entries()) closeTo(t, param, one.params[i]?.[k] ?? [], close(one), `step ${i}, parameter ${k}`)
    }
    t.is(opt.evaluations, one.evaluations)
    t.is(opt.iterations, one.iterations)

    const other = bind(
      one,
      one.middle.map((value) => fromStored(value)),
    )
    other.loadTorchStateDict(Object(revive(one.saved)))
    for (let i = 2; i < one.losses.length; i++) step(other, one)
    for (const [k, param] of other.params.entries()) closeTo(t, param, one.params.at(-1)?.[k] ?? [], close(one), `loaded, parameter ${k}`)
    t.is(other.evaluations, one.evaluations)
  })

  test(`${one.problem}, ${one.name}, ${one.dtype}: saved to a file and loaded, it goes on bit by bit the same, and leaks nothing`, (t) => {
    const opt = bind(
      one,
      one.start.map((value) => tensor(value, { dtype: one.dtype })),
    )
    step(opt, one)
    const { tensors, json } = splitState(opt.stateDict())
    const state = joinState(JSON.parse(JSON.stringify(json)), decodeSafetensors(encodeSafetensors(tensors)).tensors)
    const other = bind(
      one,
      opt.params.map((param) => param.detach().clone()),
    )
    other.loadStateDict(Object(state))
    for (const each of [opt, other]) for (let i = 0; i < 2; i++) step(each, one)
    t.deepEqual(
      other.params.map((param) => Array.from(param.dataSync(), Number)),
      opt.params.map((param) => Array.from(param.dataSync(), Number)),
    )
    t.deepEqual(Object.keys(opt.torchStateDict().state[0] ?? {}).toSorted(), Object.keys(Object(one.saved).state[0]).toSorted())
    t.deepEqual(opt.torchStateDict().param_groups, Object(one.saved).param_groups)
  })
}

test.serial('what a step makes is freed, but for what is remembered', (t) => {
  const before = memory().tensors
  tidy(() => {
    const w = tensor([3, -2], { requiresGrad: true })
    const opt = lbfgs({ historySize: 3, maxIter: 5, lineSearch: 'strongWolfe' }).bind([w])
    const run = () =>
      opt.step(() => {
        opt.zeroGrad()
        const loss = problems.rosenbrock([w])
        loss.backward()
        return loss
      })
    for (let i = 0; i < 3; i++) run()
    const full = memory().tensors
    for (let i = 0; i < 3; i++) run()
    t.true(memory().tensors <= full + 2, `${memory().tensors} tensors after more steps, ${full} before`)
    opt.dispose()
  })
  t.is(memory().tensors, before)
})

test('Rosenbrock’s valley is walked to its end', (t) => {
  const w = tensor([-1.2, 1], { requiresGrad: true, dtype: 'float64' })
  const opt = lbfgs({ lineSearch: 'strongWolfe', maxIter: 100 }).bind([w])
  opt.step(() => {
    opt.zeroGrad()
    const loss = problems.rosenbrock([w])
    loss.backward()
    return loss
  })
  closeTo(t, w, [1, 1], { atol: 1e-4 })
})

test('wrong options, parameters, closures and states are refused', (t) => {
  const w = tensor([1, 2], { requiresGrad: true })
  t.throws(() => lbfgs({ maxIter: 0 }), { code: 'argument', message: /lbfgs: maxIter must be a whole number >= 1, got 0/ })
  t.throws(() => lbfgs(Object({ lineSearch: 'armijo' })), {
    code: 'argument',
    message: /lineSearch must be 'strongWolfe' or null, got armijo/,
  })
  t.throws(() => lbfgs(Object({ lines: 1 })), { code: 'argument', message: /lines/ })
  t.throws(() => lbfgs().bind([w, ones([1], { dtype: 'float64' })]), { code: 'dtype', message: /all be float32 or all be float64/ })
  const opt = lbfgs().bind([w])
  t.throws(() => Reflect.apply(opt.step, opt, []), { code: 'argument', message: /step takes a closure/ })
  t.throws(() => opt.step(() => ones([2])), {
    code: 'argument',
    message: /closure must give the loss, a number or a tensor of one element/,
  })
  t.throws(() => lbfgs().bind(Object([{ params: [w] }, { params: [ones([1])] }])), { code: 'argument', message: /entry 0 is not a tensor/ })
  t.throws(() => opt.step(Object(async () => 1)), { code: 'argument', message: /closure must give the loss/ })
  t.throws(() => opt.loadTorchStateDict({ state: {}, param_groups: [{ params: [0, 1] }] }), {
    message: /1 parameters here, 2 in the state/,
  })
  t.throws(() => opt.loadTorchStateDict({ state: { 0: { d: ones([3]), ro: [] } }, param_groups: [{ params: [0] }] }), {
    code: 'argument',
    message: /d: \[3\], expected \[2\][^]*old_dirs: missing/,
  })
  t.throws(() => opt.loadStateDict({}), { code: 'argument', message: /not what stateDict\(\) of L-BFGS gives/ })
  opt.lr = 0.5
  t.is(opt.options.lr, 0.5)
  t.throws(() => (opt.lr = -1), { code: 'argument', message: /lr must be a number >= 0/ })
})

test('a closure that throws in the line search leaves the parameters where they were', (t) => {
  const w = tensor([3, -2], { requiresGrad: true })
  const opt = lbfgs({ lineSearch: 'strongWolfe' }).bind([w])
  let calls = 0
  const step = (): unknown =>
    opt.step(() => {
      if (++calls > 1) throw new Error('mine')
      opt.zeroGrad()
      const loss = w.square().sum()
      loss.backward()
      return loss
    })
  t.throws(step, { message: 'mine' })
  t.deepEqual([...w.dataSync()], [3, -2])
})
