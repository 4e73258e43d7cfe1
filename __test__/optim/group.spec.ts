import test from 'ava'
import { BatchNorm2d, Linear, Sequential } from '../../ts/nn/index.ts'
import { adamW, cosine, linear, type MatchedGroup, Optimizer, sgd } from '../../ts/optim/index.ts'
import { ones } from '../../ts/tensor/index.ts'

const params = () => [ones([2], { requiresGrad: true }), ones([3], { requiresGrad: true })]

test('a module gives names, a list gives positions, pairs give their own', (t) => {
  const [a, b] = params()
  if (!a || !b) return t.fail()
  t.deepEqual(sgd().bind(new Linear(1, 1)).paramGroups[0]?.names, ['weight', 'bias'])
  t.deepEqual(sgd().bind([a, b]).paramGroups[0]?.names, ['0', '1'])
  t.deepEqual(
    sgd().bind([
      ['x', a],
      ['y', b],
    ]).paramGroups[0]?.names,
    ['x', 'y'],
  )
  t.deepEqual(
    sgd()
      .bind([{ params: [a] }, { params: [b] }])
      .paramGroups.map(({ names }) => names),
    [['0'], ['1']],
  )
})

test('a group’s options go before the optimizer’s, also a schedule', (t) => {
  const [a, b] = params()
  if (!a || !b) return t.fail()
  const [first, second] = adamW({ lr: 0.1, weightDecay: 0.5 }).bind([
    { params: [a], weightDecay: 0 },
    { params: [b], lr: cosine({ from: 1, steps: 4, warmup: 1 }) },
  ]).paramGroups
  t.like(first, { lr: 0.1, initialLr: 0.1, schedule: null, size: 2 })
  t.is(first?.options['weightDecay'], 0)
  t.like(second, { lr: 0.5, initialLr: 0.5, size: 3 })
  t.is(second?.options['weightDecay'], 0.5)
})

test('options may be set, but not invented', (t) => {
  const [group] = sgd().bind(params()).paramGroups
  if (!group) return t.fail()
  group.options['momentum'] = 0.5
  t.throws(() => Object.assign(group.options, { momentun: 0.5 }), { instanceOf: TypeError })
})

const a = ones([1], { requiresGrad: true })
const refused: [name: string, bind: () => unknown, message: RegExp][] = [
  ['an empty list', () => sgd().bind([]), /sgd.bind: the list of parameters is empty/],
  ['an empty group', () => sgd().bind([{ params: [a] }, { params: [] }]), /group 1: the list of parameters is empty/],
  ['a tensor twice in a list', () => sgd().bind([a, a]), /parameter '1' comes twice, before as '0'/],
  ['a tensor in two groups', () => sgd().bind([{ params: [a] }, { params: [a] }]), /parameter '1' comes twice/],
  [
    'one name for two tensors',
    () =>
      sgd().bind([
        ['w', a],
        ['w', ones([1])],
      ]),
    /two parameters are called 'w'/,
  ],
  [
    'an unknown option of a group',
    () => sgd().bind([Object.assign({ params: [a] }, { momentun: 1 })]),
    /sgd.bind: unknown option 'momentun'/,
  ],
  [
    'a value out of range in a group',
    () => sgd().bind([{ params: [a] }, { params: [ones([1])], lr: -1 }]),
    /group 1: lr must be >= 0, got -1/,
  ],
  // @ts-expect-error one tensor is no list
  ['a bare tensor', () => sgd().bind(a), /got one tensor/],
  // @ts-expect-error a number is no tensor
  ['what is no tensor', () => new Optimizer('sgd', {}).bind([a, ['x', 3]]), /entry 1 is not a tensor/],
]
for (const [name, bind, message] of refused) {
  test(`${name} is refused`, (t) => {
    t.throws(bind, { code: 'argument', message })
  })
}

const layers = () => new Sequential(new Linear(2, 3), new BatchNorm2d(3), new Linear(3, 1))

test('parameters that match a pattern or a function get options of their own, the rest those of the optimizer', (t) => {
  const opt = adamW({ lr: 0.1, weightDecay: 0.5 }).bind(layers(), [
    { match: /bias$/g, weightDecay: 0 },
    { match: (name, param) => name === '1.weight' && param.rank === 1, lr: cosine({ from: 1, steps: 4 }) },
  ])
  t.deepEqual(
    opt.paramGroups.map(({ names, lr, options }) => [names, lr, options['weightDecay']]),
    [
      [['0.bias', '1.bias', '2.bias'], 0.1, 0],
      [['1.weight'], 1, 0.5],
      [['0.weight', '2.weight'], 0.1, 0.5],
    ],
  )
  t.deepEqual(
    sgd()
      .bind(new Linear(1, 1), [{ match: /./, lr: 1 }])
      .paramGroups.map(({ names }) => names),
    [['weight', 'bias']],
  )
})

test('matches of no parameter, of one twice, and of groups are refused', (t) => {
  const bind = (...groups: readonly MatchedGroup<'sgd'>[]) => sgd().bind(layers(), groups)
  t.throws(() => bind({ match: /wieght/ }), { code: 'argument', message: /sgd.bind: group 0: \/wieght\/ matches no parameter/ })
  t.throws(() => bind({ match: /^0/ }, { match: /bias/ }), {
    message: /'0.bias' matches group 0 \(\/\^0\/\) and group 1 \(\/bias\/\); a parameter belongs to one group/,
  })
  t.throws(() => Reflect.apply(bind, null, [{ match: 'bias' }]), { message: /match must be a regular expression or a function/ })
  const [a, b] = params()
  if (!a || !b) return t.fail()
  t.throws(() => sgd().bind([{ params: [a] }], [{ match: /0/ }]), { message: /this target is groups already/ })
  t.throws(() => Reflect.apply(bind, null, [{ match: /bias/, wieghtDecay: 0 }]), { message: /did you mean 'weightDecay'/ })
})

for (const inBackward of [false, true]) {
  test(`a group added later begins its own counts and follows the common schedule${inBackward ? ', in the backward pass too' : ''}`, (t) => {
    const [a, b] = params()
    if (!a || !b) return t.fail()
    const opt = adamW({ lr: linear({ from: 1, steps: 4 }), inBackward }).bind([a])
    const update = (...tensors: (typeof a)[]): void => {
      for (const x of tensors) x.square().sum().backward()
      opt.step()
      opt.zeroGrad()
    }
    update(a)
    const before = a.clone()
    opt.addGroup({ params: [b], weightDecay: 0 })
    t.deepEqual([...a.dataSync()], [...before.dataSync()])
    t.deepEqual(
      opt.paramGroups.map(({ names, lr, options }) => [names, lr, options['weightDecay']]),
      [
        [['0'], 0.75, 0.01],
        [['1'], 0.75, 0],
      ],
    )
    update(a, b)
    const { state } = opt.stateDict()
    t.deepEqual([state['0']?.['step']?.itemSync(), state['1']?.['step']?.itemSync()], [2, 1])
    const again = adamW({ lr: linear({ from: 1, steps: 4 }), inBackward }).bind([a])
    t.throws(() => again.loadStateDict(opt.stateDict()), { message: /groups: 1 here, 2 in the state/ })
    again.addGroup({ params: [b], weightDecay: 0 })
    again.loadStateDict(opt.stateDict())
    t.is(again.paramGroups[1]?.lr, 0.5)
    t.throws(() => opt.addGroup({ params: [a] }), { message: /comes twice/ })
  })
}

test('frozen parameters are left alone and may be set free later', (t) => {
  const model = layers().freeze()
  const opt = sgd({ lr: 1 }).bind(model)
  const values = () => model.parameters().map((x) => [...x.dataSync()])
  const before = values()
  opt.step()
  t.deepEqual(values(), before)
  model.unfreeze()
  for (const x of model.parameters()) x.grad = x.detach()
  opt.step()
  t.true(values().every((value) => value.every((x) => x === 0)))
})
