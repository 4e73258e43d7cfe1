import test from 'ava'
import { autocast, checkpoint, customFunction, isAutocastEnabled, noGrad } from '../../ts/autograd/index.ts'
import { F, Linear, Module, Sequential, Tanh } from '../../ts/nn/index.ts'
import { sgd } from '../../ts/optim/index.ts'
import { cat, memory, ones, tensor, tensorScope, type Tensor } from '../../ts/tensor/index.ts'
import { closeTo, fixture, fromStored } from '../helpers.ts'
import type { AnyTensor } from '../opCalls.ts'

const { training } = fixture('autocast')

/** The dtype that a tensor has; its type says the one outside of a region. */
const dtypeOf = (x: AnyTensor | undefined): string | undefined => x?.dtype
const product = (): Tensor => ones([2, 2]).matmul(ones([2, 2]))

test('products are low, losses and exponentials float32, sums of both the widest; the rest follows its arguments', (t) => {
  const [x, half] = [ones([2, 2]), ones([2, 2]).to('bfloat16')]
  autocast(() => {
    t.is(dtypeOf(x.matmul(x)), 'bfloat16')
    t.is(dtypeOf(half.exp()), 'float32')
    t.is(dtypeOf(F.mseLoss(half, half)), 'float32')
    t.is(dtypeOf(cat([half, half])), 'bfloat16')
    t.is(dtypeOf(Reflect.apply(cat, undefined, [[half, x]])), 'float32')
    t.is(dtypeOf(half.relu()), 'bfloat16')
    t.is(dtypeOf(x.relu()), 'float32')
    const double = ones([2, 2], { dtype: 'float64' })
    t.is(dtypeOf(double.matmul(double)), 'float64')
  })
  t.is(dtypeOf(x.matmul(x)), 'float32')
})

test('float16 is another low dtype', (t) => {
  t.is(dtypeOf(autocast({ dtype: 'float16' }, product)), 'float16')
  t.throws(() => Reflect.apply(autocast, undefined, [{ dtype: 'float32' }]), { code: 'dtype', message: /'float32'/ })
  t.throws(() => autocast(Object.assign({ cache: true }, { dtipe: 'float16' })), { code: 'argument', message: /did you mean 'dtype'/ })
})

test('regions nest, may be switched off inside, and are restored when a function throws', (t) => {
  const x = ones([2, 2])
  {
    using outer = autocast()
    t.is(dtypeOf(x.matmul(x)), 'bfloat16')
    {
      using inner = autocast({ enabled: false })
      t.is(dtypeOf(x.matmul(x)), 'float32')
      t.throws(() => outer[Symbol.dispose](), { code: 'autograd', message: /reverse order/ })
      inner[Symbol.dispose]()
    }
    t.throws(() =>
      autocast({ dtype: 'float16' }, () => {
        throw new Error('on purpose')
      }),
    )
    t.is(dtypeOf(x.matmul(x)), 'bfloat16')
  }
  t.false(isAutocastEnabled())
  t.is(dtypeOf(x.matmul(x)), 'float32')
})

// Alone, since the region is open for whatever runs meanwhile.
test.serial('an async function is refused; a guard across an await holds for what runs meanwhile', async (t) => {
  t.throws(() => autocast(async () => {}), { code: 'argument', message: /synchronous/ })
  t.false(isAutocastEnabled())
  const region = autocast()
  const other = Promise.resolve().then(() => dtypeOf(product()))
  t.is(await other, 'bfloat16')
  region[Symbol.dispose]()
})

test('gradients come back in the dtype of each leaf, computed in that of the forward', (t) => {
  const w = tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { requiresGrad: true },
  )
  const x = tensor([[1.001, 1]], { requiresGrad: true })
  const loss = autocast(() => x.matmul(w).sum())
  t.is(dtypeOf(loss), 'float32')
  loss.backward()
  t.is(dtypeOf(w.grad ?? undefined), 'float32')
  // 1.001 is 1 in bfloat16.
  closeTo(t, w.grad ?? [], [1, 1, 1, 1])
  closeTo(t, x.grad ?? [], [3, 7])
})

test('a backward pass inside of a region computes as outside', (t) => {
  const run = (inside: boolean): Tensor => {
    const w = tensor([1.001, 2], { requiresGrad: true })
    using region = autocast()
    const loss = w.exp().mul(w).sum()
    if (!inside) region[Symbol.dispose]()
    loss.backward()
    return w.grad ?? w
  }
  t.deepEqual([...run(true).dataSync()], [...run(false).dataSync()])
})

test('a parameter is cast once in a region, and its gradients from all uses add up', (t) => {
  const w = ones([64, 64], { requiresGrad: true })
  const x = ones([1, 64])
  const cast = (cache: boolean): number => {
    using _ = tensorScope()
    using region = autocast({ cache })
    const before = memory().bytes
    const kept = [x.matmul(w), x.matmul(w), x.matmul(w)]
    t.is(kept.length, 3)
    return memory().bytes - before
  }
  const halves = 64 * 64 * 2
  t.true(cast(false) - cast(true) >= 2 * halves, 'two of three casts were spared')
  autocast(() => x.matmul(w).sum().add(x.matmul(w).sum())).backward()
  closeTo(t, w.grad?.sum() ?? [], [2 * 64 * 64])
})

test('the cache ends with the outermost region', (t) => {
  const w = ones([64, 64], { requiresGrad: true })
  const before = memory().bytes
  {
    using outer = autocast()
    {
      using _ = tensorScope()
      autocast(() => ones([1, 64]).matmul(w))
    }
    t.true(memory().bytes >= before + 64 * 64 * 2)
  }
  t.is(memory().bytes, before)
})

test('what an optimizer or an assignment wrote in a region is cast anew', (t) => {
  const w = tensor([[1]], { requiresGrad: true })
  const opt = sgd({ lr: 1 }).bind([w])
  using region = autocast()
  const y = () => ones([1, 1]).matmul(w)
  const before = y()
  before.sum().backward()
  opt.step()
  closeTo(t, y(), [0])
  noGrad(() => w.assign(tensor([[5]])))
  closeTo(t, y(), [5])
  closeTo(t, before, [1])
})

test('two backward passes in one region: the cast of the first is not walked again', (t) => {
  const w = tensor([[2]], { requiresGrad: true })
  autocast(() => {
    ones([1, 1]).matmul(w).sum().backward()
    ones([1, 1]).matmul(w).sum().backward()
  })
  closeTo(t, w.grad ?? [], [2])
})

test('a cast made under noGrad does not cut the gradient of a later use', (t) => {
  const w = tensor([[2]], { requiresGrad: true })
  autocast(() => {
    noGrad(() => ones([1, 1]).matmul(w))
    ones([1, 1]).matmul(w).sum().backward()
  })
  closeTo(t, w.grad ?? [], [1])
})

test('checkpoint runs again under the region of its forward', (t) => {
  const w = tensor(
    [
      [1.001, 2],
      [3, 4],
    ],
    { requiresGrad: true },
  )
  const x = ones([1, 2], { requiresGrad: true })
  const run = (x: Tensor): Tensor => x.matmul(w).tanh().matmul(w)
  const seen: boolean[] = []
  const loss = autocast(() => {
    const plain = run(x).sum()
    plain.backward()
    return checkpoint((x: Tensor) => {
      seen.push(isAutocastEnabled())
      return run(x)
    }, x).sum()
  })
  const expected = [...(w.grad ?? w).dataSync()]
  w.grad = null
  loss.backward()
  t.deepEqual(seen, [true, true])
  t.deepEqual([...(w.grad ?? x).dataSync()], expected)
})

test('the backward of customFunction runs under the region of its forward, and may give low gradients', (t) => {
  const seen: boolean[] = []
  const multiply = customFunction({
    forward: (ctx, x: Tensor, w: Tensor) => {
      ctx.saveForBackward(x, w)
      return x.matmul(w)
    },
    backward: (ctx, g) => {
      const [x = g, w = g] = ctx.savedTensors
      seen.push(isAutocastEnabled())
      return [g.matmul(w.to('float32').t()), x.to('float32').t().matmul(g)]
    },
  })
  const w = ones([2, 2], { requiresGrad: true })
  const x = ones([1, 2], { requiresGrad: true })
  autocast(() => multiply(x, w).sum()).backward()
  t.deepEqual(seen, [true])
  t.is(dtypeOf(w.grad ?? undefined), 'float32')
  closeTo(t, x.grad ?? [], [2, 2])
})

test('a module may be kept in full precision, or in another', (t) => {
  class Net extends Module {
    readonly body = new Linear(2, 2)
    readonly head = new Linear(2, 2).autocast(false)
    forward(x: Tensor): Tensor[] {
      const y = this.body.forward(x)
      return [y, this.head.forward(y)]
    }
  }
  const net = new Net()
  t.deepEqual(
    autocast(() => net.forward(ones([1, 2])).map(dtypeOf)),
    ['bfloat16', 'float32'],
  )
  t.deepEqual(Object.keys(net.stateDict()), ['body.weight', 'body.bias', 'head.weight', 'head.bias'])
  const half = new Linear(2, 2).autocast({ dtype: 'float16' })
  t.is(dtypeOf(half.forward(ones([1, 2]))), 'float16')
  t.is(dtypeOf(half.autocast(false).forward(ones([1, 2]))), 'float32')
})

test('six steps of a small network under autocast follow PyTorch’s', (t) => {
  const net = new Sequential(new Linear(4, 8), new Tanh(), new Linear(8, 3))
  net.loadStateDict(Object.fromEntries(Object.entries(training.start).map(([name, value]) => [name, fromStored(value)])))
  const opt = sgd({ lr: 0.1, momentum: 0.9 }).bind(net)
  const x = fromStored(training.x).to('float32')
  const labels = tensor(training.labels, { dtype: 'int64' })
  for (const [step, expected] of training.losses.entries()) {
    const loss = autocast(() => F.crossEntropy(net.forward(x), labels))
    opt.zeroGrad()
    loss.backward()
    opt.step()
    closeTo(t, loss, [expected], { rtol: 1e-2 }, `loss ${step}`)
  }
  for (const [name, value] of Object.entries(net.stateDict())) closeTo(t, value, training.end[name] ?? [], { rtol: 1e-2, atol: 1e-2 }, name)
})
