import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { FirnError } from '../../ts/errors.ts'
import { joinState, loadSafetensors, saveSafetensors, splitState } from '../../ts/io/index.ts'
import { Linear } from '../../ts/nn/index.ts'
import { adagrad, adam, adamW, lion, nAdam, type Optimizer, sgd } from '../../ts/optim/index.ts'
import { isTorchState, type TorchGroup, type TorchOptimizerState } from '../../ts/optim/torch/state.ts'
import { ones, tensor, Tensor, zeros } from '../../ts/tensor/index.ts'
import { closeTo, fixturePath, fromStored } from '../helpers.ts'
import { bindCase, caseName, cases, firnState, last, first, revive, walk } from './torchCases.ts'

const tolerance = { rtol: 5e-6, atol: 2e-6 }

function torchState(value: unknown): TorchOptimizerState {
  if (!isTorchState(value)) throw new Error('not a state of PyTorch')
  return value
}

// PyTorch multiplies a rate step by step.
const rounded = ({ lr, ...rest }: TorchGroup) => ({ ...rest, lr: Number(lr).toPrecision(12) })

for (const one of cases) {
  test(`${caseName(one)}: what PyTorch saved after ${first} steps goes on as PyTorch goes on`, (t) => {
    const { params, opt } = bindCase(
      one,
      one.middle.map((value) => fromStored(value)),
    )
    const saved = torchState(revive(one.saved))
    opt.loadTorchStateDict(saved, { steps: first })
    if (one.gamma !== null)
      t.deepEqual(
        opt.paramGroups.map(({ initialLr }) => initialLr),
        saved.param_groups.map((group) => group['initial_lr']),
      )
    walk(params, opt, first, last)
    for (const [k, param] of params.entries()) closeTo(t, param, one.params[k] ?? [], tolerance, `parameter ${k}`)
    for (const [k, slots] of one.state.entries()) {
      for (const [slot, value] of Object.entries(slots)) {
        const own = slot === 'step' ? undefined : opt.torchStateDict().state[k]?.[slot]
        if (own instanceof Tensor) closeTo(t, own, value, tolerance, `${slot} of parameter ${k}`)
        else t.is(slot, 'step')
      }
    }
  })

  test(`${caseName(one)}: what firn saves is what PyTorch saves, key by key`, (t) => {
    const { optimizer } = firnState(one)
    const theirs = torchState(revive(one.saved))
    t.deepEqual(optimizer.param_groups.map(rounded), theirs.param_groups.map(rounded))
    t.deepEqual(Object.keys(optimizer.state), Object.keys(theirs.state))
    for (const [id, slots] of Object.entries(theirs.state)) {
      t.deepEqual(Object.keys(optimizer.state[id] ?? {}).toSorted(), Object.keys(slots).toSorted())
      for (const [slot, value] of Object.entries(slots)) {
        const own = optimizer.state[id]?.[slot]
        if (!(own instanceof Tensor) || !(value instanceof Tensor)) return t.fail(slot)
        t.deepEqual([own.dtype, own.shape], [value.dtype, value.shape], slot)
        closeTo(t, own, Array.from(value.dataSync(), Number), tolerance, `${slot} of ${id}`)
      }
    }
  })

  test(`${caseName(one)}: PyTorch goes on from firn's state as firn does`, async (t) => {
    const { tensors, metadata } = await loadSafetensors(fixturePath('optim_firn.safetensors'))
    const all = joinState(JSON.parse(metadata['state'] ?? ''), tensors)
    const given: unknown = Object.entries(all ?? {}).find(([name]) => name === caseName(one))?.[1]
    const { params: values, optimizer } = { params: [], optimizer: null, ...Object(given) }
    const now = firnState(one)
    for (const [k, param] of now.params.entries()) closeTo(t, param, Array.from(values[k].dataSync(), Number), tolerance, `parameter ${k}`)
    const committed = torchState(optimizer)
    t.deepEqual(now.optimizer.param_groups, committed.param_groups)
    for (const [id, slots] of Object.entries(committed.state)) {
      for (const [slot, value] of Object.entries(slots)) {
        const own = now.optimizer.state[id]?.[slot]
        if (!(own instanceof Tensor) || !(value instanceof Tensor)) return t.fail(slot)
        closeTo(t, own, Array.from(value.dataSync(), Number), tolerance, `${slot} of ${id}`)
      }
    }
    const { params, opt } = bindCase(one, values)
    opt.loadTorchStateDict(committed, { steps: first })
    walk(params, opt, first, last)
    for (const [k, param] of params.entries()) closeTo(t, param, one.back[k] ?? [], tolerance, `parameter ${k}`)
  })
}

/** A layer after two steps of an optimizer. */
function trained(optimizer: Optimizer = adamW()) {
  const layer = new Linear(2, 3)
  const opt = optimizer.bind(layer)
  for (const x of [1, 2]) {
    layer
      .forward(ones([1, 2]).mul(x))
      .square()
      .sum()
      .backward()
    opt.update()
  }
  return { layer, opt, state: opt.torchStateDict() }
}

test('loading lists every difference at once and changes nothing', (t) => {
  const { layer, opt, state } = trained()
  const [group] = state.param_groups
  const before = opt.stateDict()
  const wrong = {
    param_groups: [{ ...group, lr: 7, momentum: 0.9, decoupled_weight_decay: false }],
    state: { 7: {} },
  }
  t.is(
    t.throws(() => opt.loadTorchStateDict(wrong), { instanceOf: FirnError, code: 'argument' })?.message,
    [
      'adamW.loadTorchStateDict: 3 differences, nothing was loaded',
      '  state: parameter 7 is in no group',
      '  group 0: momentum is no option of adamW',
      '  group 0: decoupled_weight_decay is false in the state and true in adamW',
    ].join('\n'),
  )
  const { exp_avg_sq: square = null, ...slots } = state.state[0] ?? {}
  const torn = { ...state, state: { 0: { ...slots, exp_avg: zeros([7]) }, 1: { ...slots, exp_avg: null, exp_avg_sq: square, sum: 1 } } }
  t.is(
    t.throws(() => opt.loadTorchStateDict(torn), { code: 'argument' })?.message,
    [
      'adamW.loadTorchStateDict: 4 differences, nothing was loaded',
      '  weight: missing: exp_avg_sq',
      '  bias: unexpected: sum',
      '  weight: exp_avg is float32 [7], expected float32 [3, 2]',
      '  bias: exp_avg_sq is float32 [3, 2], expected float32 [3]',
    ].join('\n'),
  )
  t.throws(() => opt.loadTorchStateDict({ ...state, param_groups: [] }), { message: /groups: 1 here, 0 in the state/ })
  t.throws(() => opt.loadTorchStateDict({ state: {}, param_groups: [{ ...group, params: [0] }] }), {
    message: /group 0: 2 parameters here, 1 in the state/,
  })
  t.throws(() => opt.loadTorchStateDict(before), { code: 'argument', message: /not what a PyTorch optimizer's state_dict\(\) gives/ })
  t.is(opt.paramGroups[0]?.lr, 0.001)
  t.is(opt.steps, 2)
  t.deepEqual(
    Array.from(opt.stateDict().state['weight']?.['exp_avg']?.dataSync() ?? [], Number),
    Array.from(before.state['weight']?.['exp_avg']?.dataSync() ?? [], Number),
  )
  t.is(layer.weight.shape.length, 2)
})

test('files of older versions: numbers for tensors, fewer options; keys of the user are left alone', (t) => {
  const { layer, opt, state } = trained(nAdam({ lr: 0.01 }))
  const numbers = Object.fromEntries(
    Object.entries(state.state).map(([id, slots]) => [
      id,
      Object.fromEntries(
        Object.entries(slots).map(([key, value]) => [key, value instanceof Tensor && value.rank === 0 ? Number(value.itemSync()) : value]),
      ),
    ]),
  )
  const old = { state: numbers, param_groups: [{ lr: 0.5, betas: [0.9, 0.999], params: [0, 1], my_name: 'head' }] }
  const other = nAdam({ lr: 0.01 }).bind(layer)
  other.loadTorchStateDict(old)
  t.is(other.steps, 2)
  t.is(other.paramGroups[0]?.lr, 0.5)
  const [mine, theirs] = [opt.torchStateDict().state[1], other.torchStateDict().state[1]]
  for (const key of ['step', 'mu_product', 'exp_avg']) {
    const [a, b] = [mine?.[key], theirs?.[key]]
    if (!(a instanceof Tensor) || !(b instanceof Tensor)) return t.fail(key)
    t.deepEqual(Array.from(a.dataSync(), Number), Array.from(b.dataSync(), Number))
  }
})

test('ids may be any numbers; float64 states go into float32 parameters; names are optional', (t) => {
  const { layer, opt, state } = trained(sgd({ lr: 0.1, momentum: 0.9 }))
  const wide = Object.fromEntries(
    Object.entries(state.state).map(([id, { momentum_buffer: buffer = null }]) => [
      Number(id) + 5,
      { momentum_buffer: buffer instanceof Tensor ? buffer.to('float64') : buffer },
    ]),
  )
  const other = sgd({ lr: 1, momentum: 0.5 }).bind(layer)
  other.loadTorchStateDict({ state: wide, param_groups: [{ ...state.param_groups[0], params: [5, 6] }] }, { steps: 2 })
  t.is(other.steps, 2)
  t.is(other.paramGroups[0]?.options['momentum'], 0.9)
  t.is(other.stateDict().state['weight']?.['momentum_buffer']?.dtype, 'float32')
  t.is(state.param_groups[0]?.['param_names'], undefined)
  t.deepEqual(opt.torchStateDict({ names: true }).param_groups[0]?.['param_names'], ['weight', 'bias'])
})

test('Adagrad’s state is there before the first step, as in PyTorch', (t) => {
  const { state } = adagrad({ initialAccumulatorValue: 0.5 })
    .bind([tensor([1, 2])])
    .torchStateDict()
  const { step = null, sum = null } = state[0] ?? {}
  if (!(step instanceof Tensor) || !(sum instanceof Tensor)) return t.fail()
  t.is(step.itemSync(), 0)
  t.deepEqual(Array.from(sum.dataSync(), Number), [0.5, 0.5])
})

test('half parameters keep their state in float32, in our own states too', (t) => {
  const w = tensor([1, 2], { dtype: 'float16', requiresGrad: true })
  const opt = adam().bind([['weight', w]])
  w.grad = ones([2], { dtype: 'float16' })
  opt.step()
  const other = adam().bind([['weight', w]])
  t.notThrows(() => other.loadStateDict(opt.stateDict()))
  t.notThrows(() => other.loadTorchStateDict(opt.torchStateDict()))
  t.is(other.stateDict().state['weight']?.['exp_avg']?.dtype, 'float32')
})

test('rules that PyTorch has not say so', (t) => {
  const opt = lion().bind([tensor([1])])
  t.throws(() => opt.torchStateDict(), { code: 'argument', message: /PyTorch has no lion, only sgd, adam, adamW/ })
  t.throws(() => opt.loadTorchStateDict({ state: {}, param_groups: [] }), { code: 'argument', message: /PyTorch has no lion/ })
})

test('a state goes through a file as the document says', async (t) => {
  const { layer, opt } = trained(adamW({ amsgrad: true }))
  const folder = await mkdtemp(join(tmpdir(), 'firn-torch-'))
  const path = join(folder, 'optimizer.safetensors')
  const { tensors, json } = splitState(opt.torchStateDict())
  await saveSafetensors(path, tensors, { metadata: { state: JSON.stringify(json) } })
  const file = await loadSafetensors(path)
  await rm(folder, { recursive: true })
  const other = adamW({ lr: 7 }).bind(layer)
  other.loadTorchStateDict(joinState(JSON.parse(file.metadata['state'] ?? ''), file.tensors))
  t.deepEqual(other.torchStateDict().param_groups, opt.torchStateDict().param_groups)
  t.is(other.steps, 2)
  t.deepEqual(Object.keys(other.torchStateDict().state[0] ?? {}), ['step', 'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'])
})
