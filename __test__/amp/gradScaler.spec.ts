import test, { type ExecutionContext } from 'ava'
import { GradScaler } from '../../ts/amp/index.ts'
import { FirnError } from '../../ts/errors.ts'
import { adamW, clipGradNorm, linear, sgd } from '../../ts/optim/index.ts'
import { type Tensor, tensor } from '../../ts/tensor/index.ts'
import { closeTo, fixture, type ScalerEvent, type Stored } from '../helpers.ts'

const { published, random, fused } = fixture('scaler')
const numbers = (values: readonly Stored[]): number[] => values.map(Number)

function single(value = 1) {
  const w = tensor([value], { requiresGrad: true })
  const opt = sgd({ lr: 1 }).bind([w])
  return { w, opt }
}

function backward(scaler: GradScaler, w: Tensor, gradient: number): void {
  scaler.scale(w.mul(gradient).sum()).backward()
}

test('eight gradients, two of them bad: scale, tracker and parameter are PyTorch’s', (t) => {
  const scaler = new GradScaler({ initScale: 4, backoffFactor: 0.25, growthInterval: 2 })
  const { w, opt } = single()
  for (const { grad, scale, tracker, param } of published) {
    opt.zeroGrad()
    backward(scaler, w, Number(grad))
    scaler.step(opt)
    scaler.update()
    t.like(scaler.stateDict(), { scale, _growth_tracker: tracker })
    t.is(w.itemSync(), param)
  }
})

for (const [name, { options, events }] of Object.entries({ random, fused })) {
  test(`${name}: events on two optimizers fail where PyTorch’s do, and leave what they leave`, (t) => {
    const make = () =>
      new GradScaler({
        initScale: options.init_scale,
        growthFactor: options.growth_factor,
        backoffFactor: options.backoff_factor,
        growthInterval: options.growth_interval,
      })
    let scaler = make()
    let saved: object = {}
    const params = [tensor([1, -2, 0.5], { requiresGrad: true }), tensor([1, -2, 0.5], { requiresGrad: true })] as const
    const opts = [sgd({ lr: 0.1, momentum: 0.9 }).bind([params[0]]), adamW({ lr: 0.05 }).bind([params[1]])] as const
    for (const [at, event] of events.entries()) {
      const [param, opt] = [params[event.k], opts[event.k]]
      const error = attempt(() => {
        switch (event.kind) {
          case 'scale':
            return scaler.scale(param.mul(tensor(numbers(event.values ?? []))).sum()).backward()
          case 'unscale':
            return scaler.unscale(opt)
          case 'step':
            return void scaler.step(opt)
          case 'update':
          case 'set':
            return scaler.update(event.scale)
          case 'zero':
            return opt.zeroGrad()
          case 'save':
            saved = scaler.stateDict()
            return void t.like(saved, event.state ?? {})
          case 'load':
            scaler = make()
            return scaler.loadStateDict(saved)
          case 'factor':
            return setFactors(scaler, event)
        }
      })
      const what = `event ${at}, ${event.kind}`
      t.is(error !== undefined, typeof event.error === 'string', `${what}: PyTorch ${event.error}, firn ${error?.message}`)
      compare(t, scaler, params, event, what)
    }
  })
}

function attempt(action: () => void): FirnError | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof FirnError) return error
    throw error
  }
}

function setFactors(scaler: GradScaler, { growth = 2, backoff = 0.5, interval = 1 }: ScalerEvent): void {
  scaler.growthFactor = growth
  scaler.backoffFactor = backoff
  scaler.growthInterval = interval
}

function compare(t: ExecutionContext, scaler: GradScaler, params: readonly Tensor[], { after }: ScalerEvent, what: string): void {
  t.like(scaler.stateDict(), { scale: after.scale, _growth_tracker: after.tracker }, what)
  for (const [k, param] of params.entries()) {
    closeTo(t, param, after.params[k] ?? [], { rtol: 2e-6, atol: 2e-6 }, `${what}, parameter ${k}`)
    const grad = after.grads[k] ?? null
    t.is(param.grad === null, grad === null, `${what}: gradient ${k}`)
    if (grad !== null) closeTo(t, param.grad ?? [], grad, { rtol: 2e-6, atol: 2e-6 }, `${what}, gradient ${k}`)
  }
}

test('a skipped step leaves state, counts and the schedule alone, and updaters do not run', (t) => {
  const w = tensor([1], { requiresGrad: true })
  const seen: number[] = []
  const opt = adamW({ lr: linear({ from: 1, to: 0, steps: 10 }), updaters: [({ globalSteps }) => void seen.push(globalSteps)] }).bind([w])
  const scaler = new GradScaler()
  backward(scaler, w, Infinity)
  t.deepEqual(scaler.step(opt), { kind: 'skipped', reason: 'nonFinite' })
  scaler.update()
  t.deepEqual(opt.stateDict().state, {})
  t.is(opt.steps, 0)
  t.is(opt.paramGroups[0]?.lr, 1)
  t.deepEqual(seen, [])
  opt.zeroGrad()
  backward(scaler, w, 2)
  t.is(scaler.step(opt).kind, 'stepped')
  t.deepEqual(seen, [0])
})

test('clipping between unscale and step sees the true norm', (t) => {
  const { w, opt } = single()
  const scaler = new GradScaler({ initScale: 1024 })
  backward(scaler, w, 8)
  scaler.unscale(opt)
  t.is(clipGradNorm([w], 1), 8)
  scaler.step(opt)
  closeTo(t, w, [0])
})

test('the optimizer’s own clipping sees the true norm, too', (t) => {
  const w = tensor([1], { requiresGrad: true })
  const opt = sgd({ lr: 1, clipGradNorm: 2 }).bind([w])
  const scaler = new GradScaler({ initScale: 1024 })
  backward(scaler, w, 8)
  t.deepEqual(scaler.step(opt), { kind: 'stepped', gradNorm: 8 })
  closeTo(t, w, [-1])
})

test('two optimizers: only the one with an infinity is skipped, and one update lowers the scale', (t) => {
  const [a, b] = [single(), single()]
  const scaler = new GradScaler({ initScale: 4 })
  backward(scaler, a.w, Infinity)
  backward(scaler, b.w, 1)
  t.deepEqual([scaler.step(a.opt).kind, scaler.step(b.opt).kind], ['skipped', 'stepped'])
  scaler.update()
  t.is(scaler.getScale(), 2)
  t.deepEqual([a.w.itemSync(), b.w.itemSync()], [1, 0])
})

test('windows: gradients of several micro-batches are unscaled once, divided by the window, and dropped', (t) => {
  const [a, b] = [single(), single()]
  const scaler = new GradScaler({ initScale: 4, growthInterval: 1 })
  for (const gradient of [1, 3]) {
    backward(scaler, a.w, gradient)
    backward(scaler, b.w, gradient === 3 ? NaN : 1)
    a.opt.update({ gradScaler: scaler, gradAccSteps: 2 })
    b.opt.update({ gradScaler: scaler, gradAccSteps: 2 })
  }
  t.deepEqual([a.w.itemSync(), b.w.itemSync()], [-1, 1])
  t.deepEqual([a.w.grad, b.w.grad], [null, null])
  t.deepEqual([a.opt.steps, b.opt.steps], [1, 0])
  scaler.update()
  t.is(scaler.getScale(), 2)
})

test('a window whose gradients were unscaled by hand is not unscaled again', (t) => {
  const { w, opt } = single()
  const scaler = new GradScaler({ initScale: 4 })
  backward(scaler, w, 3)
  scaler.unscale(opt)
  t.is(w.grad?.itemSync(), 3)
  t.is(opt.update({ gradScaler: scaler }).kind, 'stepped')
  t.is(w.itemSync(), -2)
  scaler.update()
})

test('hysteresis: overflows lower the scale only when they are so many, until it grows', (t) => {
  const { w, opt } = single()
  const scaler = new GradScaler({ initScale: 16, hysteresis: 2, growthInterval: 2 })
  const scales = [Infinity, Infinity, 1, 1, Infinity, Infinity].map((gradient) => {
    opt.zeroGrad()
    backward(scaler, w, gradient)
    scaler.step(opt)
    scaler.update()
    return scaler.getScale()
  })
  t.deepEqual(scales, [16, 8, 8, 16, 16, 8])
})

test('minScale: the scale does not fall below, and an overflow there is an error', (t) => {
  const { w, opt } = single()
  const scaler = new GradScaler({ initScale: 3, minScale: 2 })
  const overflow = (): void => {
    opt.zeroGrad()
    backward(scaler, w, Infinity)
    scaler.step(opt)
    scaler.update()
  }
  overflow()
  t.is(scaler.getScale(), 2)
  t.throws(overflow, { code: 'autograd', message: /minScale 2/ })
})

test('growth stops before the scale is infinite', (t) => {
  const { w, opt } = single()
  const scaler = new GradScaler({ initScale: 2 ** 127, growthInterval: 1 })
  backward(scaler, w, 2 ** -100)
  scaler.step(opt)
  scaler.update()
  t.is(scaler.getScale(), 2 ** 127)
})

test('gradients in float16 are refused, and the parameter is named', (t) => {
  const w = tensor([1], { dtype: 'float16', requiresGrad: true })
  const opt = sgd({ lr: 1 }).bind([['fc.weight', w]])
  const scaler = new GradScaler({ initScale: 4 })
  scaler.scale(w.sum()).backward()
  t.throws(() => scaler.unscale(opt), { code: 'dtype', message: /'fc\.weight' is float16/ })
  t.throws(() => scaler.step(opt), { code: 'dtype', message: /float16/ })
})

test('a disabled scaler is the optimizer alone, and keeps nothing', (t) => {
  const { w, opt } = single()
  const scaler = new GradScaler({ enabled: false })
  t.is(scaler.getScale(), 1)
  t.deepEqual(scaler.stateDict(), {})
  backward(scaler, w, Infinity)
  scaler.unscale(opt)
  t.is(scaler.step(opt).kind, 'stepped')
  scaler.update()
  t.is(w.itemSync(), -Infinity)
  w.grad = tensor([1])
  t.is(opt.update({ gradScaler: scaler }).kind, 'stepped')
  scaler.loadStateDict({})
  t.throws(() => new GradScaler().loadStateDict({}), { code: 'argument', message: /disabled/ })
})

test('options out of range are refused by name', (t) => {
  t.throws(() => new GradScaler({ growthFactor: 1 }), { code: 'argument', message: /growthFactor/ })
  t.throws(() => new GradScaler({ backoffFactor: 1 }), { code: 'argument', message: /backoffFactor/ })
  t.throws(() => new GradScaler(Object.assign({ growthFactor: 2 }, { growthfactor: 2 })), {
    code: 'argument',
    message: /did you mean 'growthFactor'/,
  })
})

test('a list of losses is scaled one by one', (t) => {
  const losses = new GradScaler({ initScale: 2 }).scale([tensor(1), tensor(3)])
  t.deepEqual(
    losses.map((loss) => loss.itemSync()),
    [2, 6],
  )
})
