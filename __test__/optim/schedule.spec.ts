import test from 'ava'
import { inspect } from 'node:util'
import { constant, cosine, linear, Schedule, step } from '../../ts/optim/index.ts'
import { closeTo, fixture } from '../helpers.ts'

const rates = (schedule: Schedule, steps: number): number[] => Array.from({ length: steps }, (_, t) => schedule.at(t))

for (const { values, ...options } of fixture('optim').cosine) {
  test(`cosine ${JSON.stringify(options)} equals PyTorch’s`, (t) => {
    closeTo(t, rates(cosine(options), values.length), values, { rtol: 1e-12, atol: 1e-15 })
  })
}

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
  t.throws(() => Schedule.fromJSON({ kind: 'sine', from: 1 }), { code: 'argument', message: /known kinds: constant, linear, cosine, step/ })
  t.throws(() => Schedule.fromJSON({ kind: 'linear', from: 1 }), { code: 'argument', message: /linear: steps must be/ })
  t.throws(() => Schedule.fromJSON(null), { code: 'argument' })
})
