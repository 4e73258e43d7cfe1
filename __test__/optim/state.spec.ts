import test from 'ava'
import { FirnError } from '../../ts/errors.ts'
import { decodeSafetensors, encodeSafetensors, joinState, splitState } from '../../ts/io/index.ts'
import { Linear, Module } from '../../ts/nn/index.ts'
import { adamW, type BoundOptimizer, cosine, type Optimizer, type OptimizerState, sgd } from '../../ts/optim/index.ts'
import { ones, type Tensor, tensor, tidy, zeros } from '../../ts/tensor/index.ts'

class Net extends Module {
  conv1 = new Linear(2, 3)
  fc = new Linear(3, 1)
  override forward(x: Tensor): Tensor {
    return this.fc.forward(this.conv1.forward(x).tanh())
  }
}

function pass(net: Net, step: number): void {
  net
    .forward(
      tensor([
        [step % 5, 1],
        [2, -step % 3],
      ]),
    )
    .square()
    .mean()
    .backward()
}

function train(net: Net, opt: BoundOptimizer, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    pass(net, step)
    opt.update()
  }
}

const values = (net: Net): number[][] => net.parameters().map((parameter) => Array.from(parameter.dataSync()))

/** What a checkpoint does: tensors as safetensors bytes, the rest as JSON text. */
function throughFile(state: OptimizerState): object {
  const { tensors, json } = splitState(state)
  const back = joinState(JSON.parse(JSON.stringify(json)), decodeSafetensors(encodeSafetensors(tensors)).tensors)
  if (typeof back !== 'object' || back === null) throw new Error('no object')
  return back
}

const optimizers: [name: string, Optimizer][] = [
  ['adamW', adamW({ lr: 0.05 })],
  ['adamW amsgrad, clipped, on a schedule', adamW({ lr: cosine({ from: 0.1, steps: 20, warmup: 3 }), amsgrad: true, clipGradNorm: 0.5 })],
  ['sgd with momentum', sgd({ lr: 0.05, momentum: 0.9 })],
  ['adamW in the middle of a window', adamW({ lr: 0.05, accumulate: 3 })],
]
for (const [name, optimizer] of optimizers) {
  test(`${name}: saved to a file and loaded into a new process’ objects, training goes on bit by bit the same`, (t) => {
    const net = new Net()
    const opt = optimizer.bind(net)
    train(net, opt, 0, 7)
    const [model, state] = [net.stateDict(), throughFile(opt.stateDict())]
    train(net, opt, 7, 15)

    const other = new Net()
    other.loadStateDict(model)
    const resumed = optimizer.bind(other)
    resumed.loadStateDict(state)
    train(other, resumed, 7, 15)
    t.deepEqual(values(other), values(net))
    t.is(resumed.steps, opt.steps)
    t.is(resumed.paramGroups[0]?.lr, opt.paramGroups[0]?.lr)
  })
}

test('the state is keyed by parameter name, with PyTorch’s names inside', (t) => {
  const net = new Net()
  const opt = adamW().bind(net)
  t.deepEqual(opt.stateDict().state, {})
  train(net, opt, 0, 2)
  const { rule, steps, window, groups, state } = opt.stateDict()
  t.deepEqual(Object.keys(state), ['conv1.weight', 'conv1.bias', 'fc.weight', 'fc.bias'])
  t.deepEqual(Object.keys(state['conv1.weight'] ?? {}), ['step', 'exp_avg', 'exp_avg_sq'])
  t.is(state['fc.bias']?.['step']?.itemSync(), 2)
  t.deepEqual(state['conv1.weight']?.['exp_avg']?.shape, [3, 2])
  const options = { lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.01, amsgrad: false, maximize: false }
  t.deepEqual(JSON.parse(JSON.stringify({ rule, steps, window, groups })), {
    rule: 'adamW',
    steps: 2,
    window: { count: 0, weight: 0 },
    groups: [{ params: ['conv1.weight', 'conv1.bias', 'fc.weight', 'fc.bias'], options, given: options }],
  })
})

test('a saved state is a snapshot', (t) => {
  const net = new Net()
  const opt = adamW().bind(net)
  train(net, opt, 0, 1)
  const slot = opt.stateDict().state['fc.weight']?.['exp_avg']
  const before = Array.from(slot?.dataSync() ?? [], Number)
  train(net, opt, 1, 3)
  t.deepEqual(Array.from(slot?.dataSync() ?? [], Number), before)
})

test('options changed on the way go on; options given anew hold', (t) => {
  const net = new Net()
  const opt = sgd({ lr: 0.1, momentum: 0.9 }).bind(net)
  const [group] = opt.paramGroups
  if (!group) return t.fail()
  group.lr = 0.02
  group.options['weightDecay'] = 0.3
  const state = opt.stateDict()

  const same = sgd({ lr: 0.1, momentum: 0.9 }).bind(net)
  same.loadStateDict(state)
  t.like(same.paramGroups[0], { lr: 0.02, initialLr: 0.1 })
  t.is(same.paramGroups[0]?.options['weightDecay'], 0.3)

  const other = sgd({ lr: 0.5, momentum: 0.9, weightDecay: 0.1 }).bind(net)
  other.loadStateDict(state)
  t.like(other.paramGroups[0], { lr: 0.5 })
  t.is(other.paramGroups[0]?.options['weightDecay'], 0.1)

  const scheduled = sgd({ lr: cosine({ from: 1, steps: 10 }), momentum: 0.9 }).bind(net)
  scheduled.loadStateDict({ ...state, steps: 5 })
  t.is(scheduled.paramGroups[0]?.lr, 0.5)
})

test('groups keep their own options', (t) => {
  const net = new Net()
  const bind = (): BoundOptimizer =>
    adamW({ lr: 0.1 }).bind([
      { params: net.conv1.namedParameters().map(([n, p]) => [`conv1.${n}`, p] as const) },
      { params: net.fc, lr: 0.5 },
    ])
  const opt = bind()
  train(net, opt, 0, 2)
  const again = bind()
  again.loadStateDict(opt.stateDict())
  t.deepEqual(
    again.paramGroups.map(({ lr }) => lr),
    [0.1, 0.5],
  )
  t.deepEqual(Object.keys(again.stateDict().state), ['conv1.weight', 'conv1.bias', 'weight', 'bias'])
})

test('loading lists every difference at once and changes nothing', (t) => {
  const net = new Net()
  const opt = adamW().bind(net)
  train(net, opt, 0, 2)
  const state = opt.stateDict()
  const { 'fc.weight': weight, ...rest } = state.state
  const wrong = {
    ...state,
    steps: 99,
    groups: [{ ...state.groups[0], params: ['conv.weight', 'conv1.bias', 'fc.weight', 'fc.bias'] }],
    state: { ...rest, 'fc.weight': { ...weight, exp_avg: zeros([7]) }, 'fc.bias': { ...rest['fc.bias'], momentum_buffer: ones([1]) } },
  }
  const error = t.throws(() => opt.loadStateDict(wrong), { instanceOf: FirnError, code: 'argument' })
  t.is(
    error?.message,
    [
      'adamW.loadStateDict: 4 differences, nothing was loaded',
      "  group 0: missing: conv1.weight (did you mean 'conv.weight'?)",
      "  group 0: unexpected: conv.weight (did you mean 'conv1.weight'?)",
      '  fc.weight: exp_avg is float32 [7], expected float32 [1, 3]',
      '  fc.bias: unexpected: momentum_buffer',
    ].join('\n'),
  )
  t.is(opt.steps, 2)
  t.deepEqual(opt.stateDict().state['fc.weight']?.['exp_avg']?.shape, [1, 3])
})

test('what was loaded is the optimizer’s own: freeing where it came from changes nothing', (t) => {
  const net = new Net()
  const opt = adamW().bind(net)
  train(net, opt, 0, 2)
  const other = adamW().bind(net)
  tidy(() => {
    const { state, ...rest } = opt.stateDict()
    other.loadStateDict({ ...rest, state })
    for (const slots of Object.values(state)) for (const slot of Object.values(slots)) slot.dispose()
  })
  opt.dispose()
  t.notThrows(() => train(net, other, 2, 3))
})

test('a gradient of a saved window cannot go to a frozen parameter, nor moments to another dtype', (t) => {
  const net = new Net()
  const opt = adamW({ accumulate: 2 }).bind(net)
  train(net, opt, 0, 3)
  const state = opt.stateDict()
  net.fc.freeze()
  t.throws(() => opt.loadStateDict(state), {
    code: 'argument',
    message: /2 differences.*\n {2}fc.weight: grad in the state, but the parameter requires none/,
  })
  const wide = new Net().to('float64')
  t.throws(() => adamW().bind(wide).loadStateDict(state), {
    code: 'argument',
    message: /conv1.weight: exp_avg is float32 \[3, 2\], expected float64 \[3, 2\]/,
  })
})

test('another rule, another number of groups, or something else altogether is refused', (t) => {
  const net = new Net()
  const opt = adamW().bind(net)
  t.throws(() => opt.loadStateDict(sgd().bind(net).stateDict()), { code: 'argument', message: /rule: adamW here, sgd in the state/ })
  t.throws(
    () =>
      opt.loadStateDict(
        adamW()
          .bind([{ params: net.fc }, { params: [ones([1])] }])
          .stateDict(),
      ),
    { code: 'argument', message: /groups: 1 here, 2 in the state/ },
  )
  t.throws(() => opt.loadStateDict({ param_groups: [], state: {} }), {
    code: 'argument',
    message: /not what an optimizer's stateDict\(\) gives/,
  })
  const state = opt.stateDict()
  const [group] = state.groups
  t.throws(() => opt.loadStateDict({ ...state, groups: [{ ...group, options: { ...group?.options, eps: -1 } }] }), {
    code: 'argument',
    message: /eps must be >= 0, got -1/,
  })
})
