import test from 'ava'
import { Linear } from '../../ts/nn/index.ts'
import { adamW, cosine, Optimizer, sgd } from '../../ts/optim/index.ts'
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
