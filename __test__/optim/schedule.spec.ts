import test from 'ava'
import { inspect } from 'node:util'
import { decodeSafetensors, encodeSafetensors, joinState, splitState } from '../../ts/io/index.ts'
import {
  adamW,
  type BoundOptimizer,
  chained,
  constant,
  cosine,
  type Course,
  exponential,
  inverseSqrt,
  linear,
  noam,
  Optimizer,
  plateau,
  Schedule,
  sequential,
  sgd,
  step,
  tanh,
  warmup,
  warmupStableDecay,
} from '../../ts/optim/index.ts'
import { ones } from '../../ts/tensor/index.ts'
import { closeTo, fixture } from '../helpers.ts'

const rates = (schedule: Schedule, steps: number): number[] => Array.from({ length: steps }, (_, t) => schedule.at(t))

for (const { values, ...options } of fixture('optim').cosine) {
  test(`cosine ${JSON.stringify(options)} equals PyTorch’s`, (t) => {
    closeTo(t, rates(cosine(options), values.length), values, { rtol: 1e-12, atol: 1e-15 })
  })
}

for (const { kind, options, values } of fixture('optim').schedules) {
  test(`${kind} ${JSON.stringify(options)} equals PyTorch’s`, (t) => {
    const schedule = Schedule.fromJSON({ kind, ...options })
    closeTo(t, rates(schedule, values.length), values, { rtol: 1e-12, atol: 1e-15 })
    t.true(Schedule.fromJSON(JSON.parse(JSON.stringify(schedule))).equals(schedule))
  })
}

for (const { options, metrics, values } of fixture('optim').plateaus) {
  test(`plateau ${JSON.stringify(options)} equals PyTorch’s`, (t) => {
    const value = plateau(options)
    let state = value.start()
    const found = metrics.map((metric) => (state = value.observe(state, metric)).value)
    closeTo(t, found, values, { rtol: 1e-12 })
  })
}

/** The state of an optimizer as a checkpoint keeps it. */
function throughFile(opt: BoundOptimizer): object {
  const { tensors, json } = splitState(opt.stateDict())
  const state = joinState(JSON.parse(JSON.stringify(json)), decodeSafetensors(encodeSafetensors(tensors)).tensors)
  if (typeof state !== 'object' || state === null) throw new Error('no state')
  return state
}

/** The rates of updates by an optimizer that is saved and loaded into another one before update 17. */
function resumed(lr: Course, count: number, between: (opt: BoundOptimizer, step: number) => void = () => {}): number[] {
  const param = ones([1], { requiresGrad: true })
  let opt = sgd({ lr, momentum: 0.5 }).bind([param])
  return Array.from({ length: count }, (_, step) => {
    if (step === 17) {
      const next = sgd({ lr, momentum: 0.5 }).bind([param])
      next.loadStateDict(throughFile(opt))
      opt = next
    }
    const rate = opt.paramGroups[0]?.lr ?? NaN
    param.grad = ones([1])
    opt.step()
    between(opt, step)
    return rate
  })
}

for (const { kind, options, values } of [
  ...fixture('optim').schedules,
  ...fixture('optim').cosine.map(({ values, ...options }) => ({ kind: 'cosine', options, values })),
]) {
  test(`${kind} ${JSON.stringify(options)} goes on from a state saved at step 17`, (t) => {
    closeTo(t, resumed(Schedule.fromJSON({ kind, ...options }), values.length), values, { rtol: 1e-12, atol: 1e-15 })
  })
}

for (const { options, metrics, values } of fixture('optim').plateaus) {
  test(`plateau ${JSON.stringify(options)} goes on from a state saved at step 17`, (t) => {
    const found = resumed(plateau(options), values.length + 1, (opt, step) => opt.observe(metrics[step] ?? 0))
    closeTo(t, found.slice(1), values, { rtol: 1e-12 })
  })
}

test('one after another, each from its own start', (t) => {
  const schedule = sequential([linear({ from: 0, to: 1, steps: 2 }), exponential({ from: 1, gamma: 0.5 }), constant({ from: 3 })], [2, 4])
  closeTo(t, rates(schedule, 6), [0, 0.5, 1, 0.5, 3, 3], { rtol: 1e-15 })
  t.true(Schedule.fromJSON(JSON.parse(JSON.stringify(schedule))).equals(schedule))
  t.throws(() => sequential([constant({ from: 1 })], [2]), { code: 'argument', message: /one milestone between/ })
  t.throws(() => sequential([constant({ from: 1 }), constant({ from: 1 }), constant({ from: 1 })], [4, 2]), { message: /ascend/ })
})

test('a product, and a rise around any', (t) => {
  closeTo(t, rates(chained([constant({ from: 8 }), exponential({ from: 1, gamma: 0.5 })]), 3), [8, 4, 2], { rtol: 1e-15 })
  const risen = warmup(exponential({ from: 8, gamma: 0.5 }), { steps: 2, start: 0.5 })
  closeTo(t, rates(risen, 4), [4, 6, 8, 4], { rtol: 1e-15 })
  t.true(Schedule.fromJSON(JSON.parse(JSON.stringify(risen))).equals(risen))
  t.throws(() => chained([]), { code: 'argument' })
  t.throws(() => warmup(constant({ from: 1 }), { steps: 0 }), { message: 'warmup: steps must be a whole number >= 1, got 0' })
})

test('those without a twin in PyTorch have the values of their formulas', (t) => {
  closeTo(t, rates(inverseSqrt({ from: 1, timescale: 1, warmup: 1 }), 5), [0.5, 1, 2 ** -0.5, 3 ** -0.5, 0.5], { rtol: 1e-15 })
  closeTo(t, rates(warmupStableDecay({ from: 1, steps: 6, warmup: 1, decay: 2 }), 8), [0.5, 1, 1, 1, 1, 0.5, 0, 0], { rtol: 1e-15 })
  closeTo(t, rates(noam({ size: 4, warmup: 4 }), 5), [0.0625, 0.125, 0.1875, 0.25, 0.5 / 5 ** 0.5], { rtol: 1e-15 })
  const { at } = { at: (step: number) => tanh({ from: 1, to: 0.5, steps: 10 }).at(step) }
  closeTo(t, [at(0), at(7), at(10), at(12)], [0.5 + 0.25 * (1 - Math.tanh(-7)), 0.75, 0.5 + 0.25 * (1 - Math.tanh(3)), at(10)], {
    rtol: 1e-12,
  })
})

test('a bound optimizer lets any number follow a schedule or a metric, and saves how they stand', (t) => {
  const make = () =>
    adamW({
      lr: plateau({ from: 1, patience: 0 }),
      betas: [linear({ from: 0.5, to: 0.9, steps: 4 }), 0.99],
      weightDecay: exponential({ from: 1, gamma: 0.5 }),
    })
  const param = ones([2], { requiresGrad: true })
  using opt = make().bind([param])
  const [group] = opt.paramGroups
  t.like(group, { lr: 1, options: { ...group?.options, betas: [0.5, 0.99], weightDecay: 1 } })
  param.grad = ones([2])
  opt.step()
  t.deepEqual([group?.options['betas'], group?.options['weightDecay']], [[0.6, 0.99], 0.5])
  opt.observe(1)
  opt.observe(2)
  t.is(group?.lr, 0.1)
  using other = make().bind([param])
  other.loadStateDict(opt.stateDict())
  const [loaded] = other.paramGroups
  t.is(loaded?.lr, 0.1)
  t.deepEqual(loaded?.plateaus, group?.plateaus)
  t.true(Optimizer.fromJSON(JSON.parse(JSON.stringify(make()))).equals(make()))
})

test('linear goes straight and stays at its end', (t) => {
  closeTo(t, rates(linear({ from: 1, to: 0.5, steps: 4 }), 6), [1, 0.875, 0.75, 0.625, 0.5, 0.5], { rtol: 1e-15 })
})

test('cosine stays at its end, where PyTorch’s would rise again', (t) => {
  t.is(cosine({ from: 1, to: 0.25, steps: 10 }).at(15), 0.25)
})

test('step falls by gamma at every stair', (t) => {
  closeTo(t, rates(step({ from: 1, every: 2 }), 5), [1, 1, 0.1, 0.1, 0.01], { rtol: 1e-12 })
  t.is(step({ from: 1, every: 1, gamma: 0.5 }).at(3), 0.125)
})

test('every schedule can warm up: in equal parts, never 0, at its rate when the warm-up ends', (t) => {
  closeTo(t, rates(constant({ from: 1, warmup: 3 }), 5), [0.25, 0.5, 0.75, 1, 1], { rtol: 1e-15 })
  closeTo(t, rates(linear({ from: 1, steps: 4, warmup: 2 }), 5), [1 / 3, 2 / 3, 1, 0.5, 0], { rtol: 1e-15 })
  closeTo(t, rates(step({ from: 1, every: 2, gamma: 0.5, warmup: 1 }), 5), [0.5, 1, 1, 0.5, 0.5], { rtol: 1e-15 })
})

test('a schedule is a frozen value that prints, compares and survives JSON', (t) => {
  const schedule = cosine({ from: 0.001, steps: 100, warmup: 5 })
  t.true(Object.isFrozen(schedule))
  t.true(Object.isFrozen(schedule.numbers))
  t.is(inspect(schedule), 'cosine({ from: 0.001, to: 0, steps: 100, warmup: 5 })')
  t.true(schedule.equals(cosine({ warmup: 5, steps: 100, from: 1e-3 })))
  t.false(schedule.equals(cosine({ from: 0.001, steps: 100, warmup: 6 })))
  t.false(schedule.equals(linear({ from: 0.001, steps: 100, warmup: 5 })))
  const again = Schedule.fromJSON(JSON.parse(JSON.stringify(schedule)))
  t.true(again.equals(schedule))
  t.is(again.at(37), schedule.at(37))
})

test('what cannot be is refused', (t) => {
  t.throws(() => linear({ from: 1, steps: 0 }), { code: 'argument', message: 'linear: steps must be a whole number >= 1, got 0' })
  t.throws(() => linear({ from: NaN, steps: 5 }), { code: 'argument', message: /from/ })
  t.throws(() => cosine({ from: 1, steps: 5, warmup: 5 }), { code: 'argument', message: 'cosine: warmup (5) must be less than steps (5)' })
  t.throws(() => constant({ from: -1 }), { code: 'argument', message: /from must be a number >= 0, got -1/ })
  t.throws(() => step(Object.assign({ from: 1, every: 1 }, { gama: 0.5 })), { code: 'argument', message: /gama.*gamma/ })
  t.throws(() => Schedule.fromJSON({ kind: 'sine', from: 1 }), {
    code: 'argument',
    message: /known kinds: constant, linear, cosine, step, /,
  })
  t.throws(() => Schedule.fromJSON({ kind: 'linear', from: 1 }), { code: 'argument', message: /linear: steps must be/ })
  t.throws(() => Schedule.fromJSON(null), { code: 'argument' })
})
