// Memory: training leaves nothing behind.
import test from 'ava'
import { F, memory, nn, ones, optim, rand, randint, randn, seed, type Tensor, tensorScope, tidy } from '../ts/index.ts'

class Mlp extends nn.Module {
  fc1 = new nn.Linear(16, 32)
  drop = new nn.Dropout(0.1)
  fc2 = new nn.Linear(32, 4)
  override forward(x: Tensor): Tensor {
    return this.fc2.forward(this.drop.forward(this.fc1.forward(x).relu()))
  }
}

test.serial('10,000 training steps leave live tensors and resident memory flat', (t) => {
  seed(0)
  const model = new Mlp()
  const opt = optim.adamW({ lr: 1e-3, clipGradNorm: 1 }).bind(model)
  const step = (): void => {
    using _scope = tensorScope()
    const loss = F.crossEntropy(model.forward(randn([8, 16])), randint(0, 4, { shape: [8] }))
    loss.backward()
    opt.step()
    opt.zeroGrad()
  }
  const resident = () => process.memoryUsage().rss / 2 ** 20
  for (let i = 0; i < 1000; i++) step()
  const [before, rss] = [memory(), resident()]
  for (let i = 0; i < 10_000; i++) step()
  const [after, grown] = [memory(), resident() - rss]
  t.log(
    `${before.tensors} tensors, ${before.bytes} bytes before; ${after.tensors}, ${after.bytes} after; resident memory grew by ${grown.toFixed(1)} MiB`,
  )
  t.deepEqual(after, before)
  t.true(grown < 24, 'resident memory stays within the noise of the collector')
})

test.serial('a loop that disposes by hand leaves nothing behind either', (t) => {
  const x = ones([4, 4])
  const before = memory()
  for (let i = 0; i < 100_000; i++) x.mul(x).dispose()
  t.deepEqual(memory(), before)
})

test.serial('the net frees what was made outside every scope and dropped', async (t) => {
  if (globalThis.gc === undefined) {
    t.log('run with --expose-gc, as npm test does')
    t.fail()
    return
  }
  const before = memory().handles
  const make = (): void => {
    for (let i = 0; i < 1000; i++) rand([8])
  }
  make()
  t.is(memory().handles, before + 1000)
  for (let i = 0; i < 20 && memory().handles > before; i++) {
    globalThis.gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.true(memory().handles <= before + 10, `${memory().handles - before} of 1000 handles are left`)
})

test.serial('tidy keeps what it returns, sync and async, and frees the rest', async (t) => {
  const before = memory().handles
  const kept = tidy(() => {
    const x = ones([2])
    return { list: [x.add(1)], map: new Map([['y', x.mul(3)]]) }
  })
  t.is(memory().handles, before + 2)
  t.deepEqual(kept.list[0]?.toArraySync(), [2, 2])
  const later = await tidy(async () => {
    const x = ones([2])
    await Promise.resolve()
    return x.add(2)
  })
  t.is(memory().handles, before + 3)
  for (const tensor of [...kept.list, ...kept.map.values(), later]) tensor.dispose()
  t.throws(
    () =>
      tidy(() => {
        ones([2])
        throw new Error('on purpose')
      }),
    { message: 'on purpose' },
  )
  t.is(memory().handles, before)
})

test.serial('a scope keeps parameters, buffers, gradients and optimizer state', (t) => {
  let model: Mlp | undefined
  {
    using _scope = tensorScope()
    model = new Mlp()
    model
      .forward(ones([1, 16]))
      .sum()
      .backward()
    optim.adamW().bind(model).step()
  }
  for (const parameter of model.parameters()) t.false(parameter.isDisposed)
  t.deepEqual(model.fc2.bias?.grad?.shape, [4])
  model.dispose()
})
