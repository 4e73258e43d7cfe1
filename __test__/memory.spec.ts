// Memory: training leaves nothing behind.
import test from 'ava'
import { F, memory, nn, ones, optim, rand, randint, randn, seed, type Tensor, tensorScope, tidy, zeros } from '../ts/index.ts'

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

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test.serial('overlapping async tidies each free what they made, and nothing else', async (t) => {
  const before = memory().handles
  const outside = ones([1])
  const part = (ms: number, value: number) =>
    tidy(async () => {
      const x = ones([2]).mul(value)
      await pause(ms)
      const y = x.add(1)
      {
        using _inner = tensorScope()
        ones([3])
        await pause(ms)
      }
      return y.mul(x.add(2))
    })
  const all = Promise.all([part(8, 1), part(2, 2), part(5, 3)])
  await pause(4)
  const meanwhile = outside.add(1)
  const results = await all
  t.deepEqual(
    results.map((result) => result.toArraySync()),
    [
      [6, 6],
      [12, 12],
      [20, 20],
    ],
  )
  t.deepEqual(meanwhile.toArraySync(), [2], 'code outside lost nothing to them')
  t.is(memory().handles, before + 5)
  for (const tensor of [...results, meanwhile, outside]) tensor.dispose()
  t.is(memory().handles, before)
})

test.serial('async tidies nest, and what the inner one returns belongs to the outer one', async (t) => {
  const before = memory().handles
  const outer = () =>
    tidy(async () => {
      const [a, b] = await Promise.all([1, 2].map((value) => tidy(async () => (await pause(value), ones([2]).mul(value)))))
      t.is(memory().handles > before, true)
      return a === undefined || b === undefined ? ones([1]) : a.add(b)
    })
  const results = await Promise.all([outer(), outer()])
  t.is(memory().handles, before + 2)
  for (const result of results) {
    t.deepEqual(result.toArraySync(), [3, 3])
    result.dispose()
  }
})

test.serial('an async tidy that fails frees what it made, and code it left behind belongs outside', async (t) => {
  const before = memory().handles
  let late: Tensor | undefined
  let left: Promise<void> | undefined
  const failing = tidy(async () => {
    ones([2])
    left = pause(10).then(() => void (late = ones([2])))
    await pause(1)
    ones([2])
    throw new Error('on purpose')
  })
  await t.throwsAsync(failing, { message: 'on purpose' })
  t.is(memory().handles, before)
  await left
  t.is(memory().handles, before + 1)
  late?.dispose()
})

test.serial('a sync tidy of a function that returns a promise is an async one', async (t) => {
  const before = memory().handles
  const inner = async () => {
    await pause(1)
    return ones([2]).add(1)
  }
  const results = await Promise.all([tidy(() => inner()), tidy(() => inner())])
  t.is(memory().handles, before + 2)
  for (const result of results) result.dispose()
})

test.serial('the peak of a backward pass over a chain falls as it walks', (t) => {
  const [size, links] = [4096, 50]
  using _scope = tensorScope()
  const x = ones([size], { requiresGrad: true })
  let y = x
  for (let i = 0; i < links; i++) y = y.mul(1.01).tanh()
  const loss = y.sum()
  const chain = memory().bytes
  memory.resetPeak()
  t.is(memory.peak(), chain)
  loss.backward()
  const extra = memory.peak() - chain
  t.log(`${chain} bytes before, ${extra} more at the peak`)
  t.true(extra > 0 && extra <= 8 * size * 4, 'a few tensors of the chain, not all of it again')
})

test.serial('in debug mode, memory says which line made what lives', (t) => {
  using _scope = tensorScope()
  memory.trace(true)
  try {
    const many = Array.from({ length: 5 }, () => zeros([100]))
    const one = ones([10]).add(1)
    one.mul(2).dispose()
    const [first, ...others] = memory.sites()
    t.deepEqual([first?.tensors, first?.bytes], [5, 2000])
    t.regex(first?.site ?? '', /memory\.spec\.ts:\d+/)
    t.is(
      others.reduce((sum, { tensors }) => sum + tensors, 0),
      2,
    )
    for (const tensor of many) tensor.dispose()
    t.is(memory.sites().length, 1)
  } finally {
    memory.trace(false)
  }
  t.deepEqual(memory.sites(), [])
})
