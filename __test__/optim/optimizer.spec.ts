import test from 'ava'
import { inspect } from 'node:util'
import { adamW, cosine, Optimizer, sgd, type Updater } from '../../ts/optim/index.ts'

test('an optimizer is a frozen value, complete with defaults', (t) => {
  const optimizer = adamW({ lr: 0.01 })
  t.true(Object.isFrozen(optimizer))
  t.true(Object.isFrozen(optimizer.options))
  t.is(optimizer.lr, 0.01)
  t.deepEqual(optimizer.options, { lr: 0.01, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, amsgrad: false, maximize: false })
  t.is(sgd().lr, 1e-3)
})

test('it prints as it is written', (t) => {
  t.is(
    inspect(sgd({ lr: cosine({ from: 0.1, steps: 10 }), momentum: 0.9, clipGradNorm: 1 })),
    'sgd({ lr: cosine({ from: 0.1, to: 0, steps: 10, warmup: 0 }), momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: false, maximize: false, clipGradNorm: 1 })',
  )
})

test('two compare equal when they do the same', (t) => {
  const updater: Updater = () => {}
  t.true(adamW({ lr: 1e-3 }).equals(adamW()))
  t.true(sgd({ updaters: [updater] }).equals(sgd({ updaters: [updater] })))
  const same = { updater: () => {} }.updater
  t.is(same.name, updater.name)
  t.false(sgd({ updaters: [updater] }).equals(sgd({ updaters: [same] })))
  t.false(adamW({ lr: 1e-3 }).equals(adamW({ lr: 1e-4 })))
  t.false(sgd().equals(adamW()))
  t.false(sgd({ accumulate: 2 }).equals(sgd()))
})

test('JSON and back', (t) => {
  const optimizer = adamW({ lr: cosine({ from: 1, steps: 5 }), betas: [0.8, 0.9], clipGradValue: 2, accumulate: 3, fused: false })
  const again = Optimizer.fromJSON(JSON.parse(JSON.stringify(optimizer)))
  t.true(again.equals(optimizer))
  t.true(Optimizer.fromJSON(sgd({ nesterov: true, momentum: 0.5 }).toJSON()).equals(sgd({ nesterov: true, momentum: 0.5 })))
})

test('updaters are saved by name, and not read back', (t) => {
  function decay(): void {}
  const json = sgd({ updaters: [decay] }).toJSON()
  t.deepEqual(json.options['updaters'], ['decay'])
  t.throws(() => Optimizer.fromJSON(json), { code: 'argument', message: /updaters must be a list of functions/ })
  t.throws(() => Optimizer.fromJSON({ rule: 'sdg', options: {} }), { code: 'argument', message: /not a saved optimizer/ })
})

const refused: [name: string, make: () => Optimizer, message: string | RegExp][] = [
  ['a negative rate', () => adamW({ lr: -1 }), 'adamW: lr must be >= 0, got -1'],
  ['a rate that is no number', () => adamW({ lr: NaN }), /lr must be >= 0, got NaN/],
  ['an infinite rate', () => adamW({ lr: Infinity }), /lr/],
  ['a beta of 1', () => adamW({ betas: [0.9, 1] }), 'adamW: betas[1] must be in [0, 1), got 1'],
  ['a negative eps', () => adamW({ eps: -1e-8 }), /eps/],
  ['a negative momentum', () => sgd({ momentum: -0.1 }), /momentum/],
  [
    'nesterov without momentum',
    () => sgd({ nesterov: true }),
    /nesterov needs momentum > 0 and dampening 0, got momentum 0 and dampening 0/,
  ],
  ['nesterov with dampening', () => sgd({ nesterov: true, momentum: 0.9, dampening: 0.1 }), /nesterov/],
  ['a clip of 0', () => sgd({ clipGradNorm: 0 }), /clipGradNorm must be a number > 0, got 0/],
  ['half a window', () => sgd({ accumulate: 1.5 }), /accumulate must be a whole number, got 1.5/],
  [
    'sharding',
    () => sgd({ shard: true }),
    /shard: true is to split the optimizer.s state over processes \(ZeRO, stage 1\); training over several processes is not there yet/,
  ],
  ['an unknown option', () => sgd(Object.assign({ lr: 1 }, { momentun: 0.9 })), /unknown option 'momentun'; did you mean 'momentum'/],
  ['a list where a number is due', () => new Optimizer('sgd', { momentum: [0.9] }), 'sgd: momentum must be >= 0, got [0.9]'],
  ['a number where two are due', () => new Optimizer('adamW', { betas: 0.9 }), 'adamW: betas must be 2 numbers, got 0.9'],
  ['a number where a truth is due', () => new Optimizer('adamW', { amsgrad: 1 }), 'adamW: amsgrad must be true or false, got 1'],
]
for (const [name, make, message] of refused) {
  test(`${name} is refused`, (t) => {
    t.throws(make, { code: 'argument', message })
  })
}
