// Running averages of parameters against PyTorch's, and in use.
import test from 'ava'
import { BatchNorm2d, Linear, ReLU, Sequential } from '../../ts/nn/index.ts'
import { Average, adamW, ema, muon, Optimizer, sgd, swa, updateBn } from '../../ts/optim/index.ts'
import { isRule } from '../../ts/optim/rule.ts'
import { rules } from '../../ts/optim/rules.gen.ts'
import { memory, randn, type Tensor, tensor } from '../../ts/tensor/index.ts'
import { closeTo, fixture, fromStored, type StoredTensor } from '../helpers.ts'

const { traces, statistics } = fixture('average')
const float = (stored: StoredTensor): Tensor => fromStored(stored).to('float32')
const leaf = (stored: StoredTensor): Tensor => {
  const x = float(stored).detach()
  x.requiresGrad = true
  return x
}
const average = (name: 'ema' | 'swa', start: number, every: number): Average =>
  name === 'swa' ? swa({ start, every }) : ema({ start, every, decay: every === 1 ? 0.9 : 0.75 })

for (const { name, start, every, params, steps } of traces) {
  for (const fused of [true, false]) {
    for (const saved of [false, true]) {
      const how = `${fused ? 'fused' : 'plain'}${saved ? ', saved and loaded on the way' : ''}`
      test(`${name} from ${start} every ${every} has PyTorch's averages: ${how}`, (t) => {
        const make = () => sgd({ lr: 0.1, momentum: 0.9, fused, average: average(name, start, every) })
        const tensors = params.map(leaf)
        let opt = make().bind(tensors)
        for (const [step, { grads, averages }] of steps.entries()) {
          for (const [k, grad] of grads.entries()) {
            const param = tensors[k]
            if (param) param.grad = grad === null ? null : float(grad)
          }
          opt.step()
          const found = opt.averages()
          for (const [k, values] of averages.entries())
            closeTo(t, found[String(k)] ?? tensor(0), values, { rtol: 2e-6, atol: 2e-6 }, `step ${step}`)
          if (saved && step % 4 === 1) {
            const next = make().bind(tensors)
            next.loadStateDict(opt.stateDict())
            opt = next
          }
        }
      })
    }
  }
}

test("the warm-up of an exponential average is TensorFlow's", (t) => {
  const value = ema({ decay: 0.5, warmup: true })
  const kept = [0, 1, 2, 20].map((step) => 1 - value.weightAt(step))
  const expected = [0, 2 / 11, 3 / 12, 0.5]
  kept.forEach((share, i) => t.true(Math.abs(share - (expected[i] ?? 0)) < 1e-15))
})

test("batch norms have PyTorch's statistics after updateBn, and their modes and momenta back", async (t) => {
  for (const { batches, state } of statistics) {
    const model = new Sequential(new BatchNorm2d(2, { momentum: 0.3 }), new ReLU(), new BatchNorm2d(2)).eval()
    await updateBn(
      model,
      batches.map((batch) => [float(batch), 0]),
    )
    const found = model.stateDict()
    for (const [key, values] of Object.entries(state)) closeTo(t, found[key] ?? tensor(0), values, { rtol: 2e-6, atol: 2e-6 }, key)
    t.deepEqual(
      model.modules().map(({ training }) => training),
      [false, false, false, false],
    )
    t.deepEqual(
      model.modules().flatMap((module) => (module instanceof BatchNorm2d ? [module.momentum] : [])),
      [0.3, 0.1],
    )
  }
})

test('updateBn puts modes back when the model throws, and says what a batch must be', async (t) => {
  const model = new Sequential(new BatchNorm2d(2)).eval()
  await t.throwsAsync(updateBn(model, [{ image: 1 }]), { code: 'argument', message: /updateBn: a batch is neither a tensor/ })
  t.false(model.training)
  t.is(await updateBn(new Linear(1, 1), [1]), undefined)
})

test('parameters hold their averages under a guard and what they held before after it', async (t) => {
  const model = new Linear(3, 2)
  const opt = adamW({ lr: 0.1, average: ema({ decay: 0.5 }) }).bind(model)
  const step = (): void => {
    model
      .forward(randn([4, 3]))
      .square()
      .sum()
      .backward()
    opt.step()
    opt.zeroGrad()
  }
  step()
  step()
  const values = (): number[] => Array.from(model.weight.dataSync())
  const [own, averaged] = [values(), Array.from(opt.averages()['weight']?.dataSync() ?? [], Number)]
  t.notDeepEqual(own, averaged)
  const tensors = memory().tensors
  {
    using _ = opt.averaged()
    t.deepEqual(values(), averaged)
    t.throws(() => opt.step(), { code: 'argument', message: /step: the parameters hold their averages; end the guard/ })
    t.throws(() => opt.stateDict(), { code: 'argument', message: /hold their averages/ })
    t.throws(() => opt.averaged(), { code: 'argument', message: /hold their averages/ })
  }
  t.deepEqual(values(), own)
  t.is(memory().tensors, tensors)
  t.deepEqual(opt.averaged(values), averaged)
  t.deepEqual(
    await opt.averaged(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      return values()
    }),
    averaged,
  )
  t.throws(
    () =>
      opt.averaged(() => {
        throw new Error('mine')
      }),
    { message: 'mine' },
  )
  await t.throwsAsync(
    opt.averaged(() => Promise.reject(new Error('later'))),
    { message: 'later' },
  )
  t.deepEqual(values(), own)
  step()
  t.notDeepEqual(values(), own)
})

test('every rule keeps the average of what it makes, of half types in float32', (t) => {
  for (const dtype of ['float32', 'float64', 'bfloat16'] as const) {
    for (const rule of Object.keys(rules).filter(isRule)) {
      const w = randn([4, 4]).to(dtype).detach()
      w.requiresGrad = true
      const opt = new Optimizer(rule, { lr: 0.01, average: ema({ decay: 0.5 }) }).bind([w])
      const master = (): number[] => Array.from((opt.stateDict().state['0']?.['master'] ?? w).to('float64').dataSync())
      const seen: number[][] = []
      for (let step = 0; step < 3; step++) {
        w.grad = randn([4, 4]).to(dtype)
        opt.step()
        seen.push(master())
      }
      const expected = seen.reduce((average, values) => average.map((a, i) => a + 0.5 * ((values[i] ?? 0) - a)))
      const found = opt.stateDict().state['0']?.['average']
      t.is(found?.dtype, dtype === 'float64' ? 'float64' : 'float32')
      closeTo(t, found ?? tensor(0), expected, { rtol: 1e-6, atol: 1e-6 }, `${rule} ${dtype}`)
    }
  }
})

test('an average is a value: it prints, compares and saves with its optimizer', (t) => {
  const opt = muon({ lr: 0.1, average: swa({ start: 3 }), clipGradNorm: 1, normType: Infinity })
  t.regex(String(opt), /average: swa\({ start: 3, every: 1 }\)/)
  const again = Optimizer.fromJSON(JSON.parse(JSON.stringify(opt)))
  t.true(opt.equals(again))
  t.is(again.normType, Infinity)
  t.false(opt.equals(muon({ lr: 0.1, average: swa({ start: 4 }), clipGradNorm: 1, normType: Infinity })))
})

test('what is no average is refused, and averages without one', (t) => {
  t.throws(() => ema({ decay: 2 }), { code: 'argument', message: /ema: decay must be a number from 0 to 1, got 2/ })
  t.throws(() => Reflect.apply(swa, null, [{ strat: 1 }]), { code: 'argument', message: /swa: .*strat/ })
  t.throws(() => Average.fromJSON({ kind: 'mean' }), { code: 'argument', message: /not a saved average/ })
  t.throws(() => new Optimizer('sgd', { average: 0.9 }), { code: 'argument', message: /sgd: average must be optim.ema/ })
  const opt = sgd().bind([tensor([1], { requiresGrad: true })])
  t.throws(() => opt.averaged(), { code: 'argument', message: /averaged: this optimizer keeps no averages; make it with average/ })
})
