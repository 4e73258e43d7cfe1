import test from 'ava'
import { FirnError } from '../../ts/errors.ts'
import { Linear, Module } from '../../ts/nn/index.ts'
import { adamW, linear, ema, type MatchGroup, sgd } from '../../ts/optim/index.ts'
import { ones, type Tensor, tensor } from '../../ts/tensor/index.ts'

class Net extends Module {
  body = new Linear(2, 3)
  head = new Linear(3, 1)
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x))
  }
}

test('groups by regular expression, by function, and the rest', (t) => {
  const net = new Net()
  const opt = adamW({ lr: 0.1, weightDecay: 0.5 }).bind(net, [
    { match: /bias$/g, weightDecay: 0 },
    { match: (name, { shape }) => name.startsWith('head') && shape.length === 2, lr: 1 },
    { match: 'rest' },
  ])
  t.deepEqual(
    opt.paramGroups.map(({ names, lr, options }) => [names, lr, options['weightDecay']]),
    [
      [['body.bias', 'head.bias'], 0.1, 0],
      [['head.weight'], 1, 0.5],
      [['body.weight'], 0.1, 0.5],
    ],
  )
  t.regex(
    String(opt),
    /^pattern .*\n\/bias\$\/g +2 +4 +adamW +0\.1 +0 +- +body\.bias, head\.bias\nmatch +1 +3 +adamW +1 +0\.5 .*\nrest +1 +6 +adamW +0\.1 +0\.5 .*$/,
  )
})

test('what is in no group, in two, or a group without parameters, is named, all at once', (t) => {
  const bind = (groups: readonly MatchGroup[]) => () => sgd().bind(new Net(), groups)
  t.is(
    t.throws(bind([{ match: /weight/ }, { match: /^body/ }, { match: /^tail/ }]), { instanceOf: FirnError, code: 'argument' })?.message,
    [
      'sgd.bind: every parameter must be in one group',
      '  body.weight: matched by groups 0, 1',
      "  head.bias: matched by no group; add { match: 'rest' } or freeze it and leave it out",
      '  group 2 (/^tail/): matches no parameter; there are body.weight, body.bias, head.weight, head.bias',
    ].join('\n'),
  )
  t.throws(bind([{ match: 'rest' }, { match: 'rest' }]), { message: /groups 0, 1: only one may be the rest/ })
  t.throws(bind([{ match: Object('weight') }]), {
    message: /group 0: match must be a regular expression, a function or 'rest', got weight/,
  })
  t.throws(bind([{ match: 'rest', ...Object({ momentun: 1 }) }]), { message: /momentun/ })
  t.throws(() => sgd().bind([{ params: new Net() }], [{ match: 'rest' }]), { message: /groups of tensors or groups by name, not both/ })
})

test('a group added later has state of its own; its schedules stand where the others stand, or begin now', (t) => {
  const [a, b, c] = [1, 2, 3].map((value) => tensor([value], { requiresGrad: true }))
  if (!a || !b || !c) return t.fail()
  const build = () => {
    const opt = adamW({ lr: linear({ from: 1, steps: 4 }) }).bind([a])
    const step = (): void => {
      for (const param of [a, b, c]) param.grad = ones([1])
      opt.step()
    }
    return { opt, step }
  }
  const { opt, step } = build()
  step()
  opt.addGroup({ params: [b] })
  opt.addGroup({ params: [['late', c]], weightDecay: 0 }, { fromNow: true })
  t.deepEqual(
    opt.paramGroups.map(({ names, lr, initialLr }) => [names, lr, initialLr]),
    [
      [['0'], 0.75, 1],
      [['1'], 0.75, 1],
      [['late'], 1, 1],
    ],
  )
  step()
  t.deepEqual(
    opt.paramGroups.map(({ lr }) => lr),
    [0.5, 0.5, 0.75],
  )
  t.deepEqual(
    Object.values(opt.stateDict().state).map((slots) => slots['step']?.itemSync()),
    [2, 1, 1],
  )
  const again = build()
  again.opt.addGroup({ params: [b] })
  again.opt.addGroup({ params: [['late', c]], weightDecay: 0 })
  again.opt.loadStateDict(opt.stateDict())
  step()
  const expected = [a, b, c].map((param) => param.itemSync())
  t.is(opt.paramGroups[2]?.lr, 0.5)
  t.is(again.opt.paramGroups[2]?.lr, 0.75)
  again.step()
  t.is(again.opt.paramGroups[2]?.lr, 0.5)
  t.is(expected.length, 3)
  t.throws(() => opt.addGroup({ params: [a] }), { code: 'argument', message: /adamW.addGroup: parameter '3' comes twice, before as '0'/ })
  t.throws(() => opt.addGroup({ params: [['late', ones([1])]] }), { message: /two parameters are called 'late'/ })
  t.is(opt.paramGroups.length, 3)
})

test('a group added later is updated in backward passes, and averaged', (t) => {
  const [a, b] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })]
  const opt = sgd({ lr: 0.5, inBackward: true, average: ema({ decay: 0 }) }).bind([a])
  opt.addGroup({ params: [b] })
  a.add(b).sum().backward()
  opt.step()
  t.deepEqual([a.itemSync(), b.itemSync()], [0.5, 0.5])
  t.deepEqual(Object.keys(opt.averages()), ['0', '1'])
})

test('a frozen parameter is skipped with its count, and goes on when it is unfrozen', (t) => {
  const net = new Net()
  const opt = adamW().bind(net)
  const step = (): void => {
    net
      .forward(ones([1, 2]))
      .sum()
      .backward()
    opt.update()
  }
  const counts = () => Object.fromEntries(Object.entries(opt.stateDict().state).map(([name, slots]) => [name, slots['step']?.itemSync()]))
  step()
  net.body.freeze()
  const before = Array.from(net.body.weight.dataSync())
  step()
  t.deepEqual(Array.from(net.body.weight.dataSync()), before)
  t.deepEqual(counts(), { 'body.weight': 1, 'body.bias': 1, 'head.weight': 2, 'head.bias': 2 })
  net.body.weight.requiresGrad = true
  step()
  t.deepEqual(counts(), { 'body.weight': 2, 'body.bias': 1, 'head.weight': 3, 'head.bias': 3 })
})
