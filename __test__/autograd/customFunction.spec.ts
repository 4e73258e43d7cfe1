// Functions with a gradient of their own, checkpoints, products with Jacobians and Hessians.
import test from 'ava'
import {
  checkpoint,
  customFunction,
  type FunctionContext,
  grad,
  gradCheck,
  gradGradCheck,
  hessian,
  hvp,
  isGradEnabled,
  jacobian,
  jvp,
  memory,
  nn,
  ones,
  rand,
  randn,
  rngState,
  seed,
  tensor,
  tensorScope,
  vjp,
  type Tensor,
} from '../../ts/index.ts'
import { closeTo } from '../helpers.ts'

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true })

/** exp by hand: saves its own output. */
const exp = customFunction({
  forward: (ctx, x: Tensor<'float64'>) => {
    const y = x.exp()
    ctx.saveForBackward(y)
    return y
  },
  backward: (ctx, g) => g.mul(ctx.savedTensors[0] ?? g),
})

/** Sum and product at once. */
const both = customFunction({
  forward: (
    ctx: FunctionContext & { calls?: number },
    a: Tensor<'float64'>,
    b: Tensor<'float64'>,
    factor: number,
  ): [Tensor<'float64'>, Tensor<'float64'>] => {
    ctx.saveForBackward(a, b)
    ctx.calls = factor
    return [a.add(b), a.mul(b).mul(factor)]
  },
  backward: (ctx, s, p) => {
    const [a = s, b = s] = ctx.savedTensors
    const scaled = p.mul(ctx.calls ?? 0)
    return [s.add(scaled.mul(b)), s.add(scaled.mul(a)), null]
  },
})

test.serial('a function agrees with difference quotients, and so does its own gradient', (t) => {
  const x = randn([3], { dtype: 'float64' })
  const y = randn([3], { dtype: 'float64' })
  t.true(gradCheck((v) => exp(v), [x]))
  t.true(gradGradCheck((v) => exp(v), [x]))
  const joined = (a: Tensor<'float64'>, b: Tensor<'float64'>): Tensor<'float64'> => {
    const [s, p] = both(a, b, 3)
    return s.square().mul(p)
  }
  t.true(gradCheck(joined, [x, y]))
  const deep = (a: Tensor<'float64'>, b: Tensor<'float64'>): Tensor<'float64'> => {
    const [ga, gb] = grad(joined(a, b).sum(), [a, b], { createGraph: true })
    return ga.mul(2).add(gb)
  }
  t.true(gradCheck(deep, [x, y]))
})

test.serial('one of several outputs is enough; backward runs once a pass', (t) => {
  const x = leaf(2)
  let runs = 0
  const split = customFunction({
    forward: (ctx, v: Tensor): [Tensor, Tensor, Tensor<'int64'>] => {
      const floor = v.floor()
      ctx.markNonDifferentiable(floor)
      return [v.mul(2), floor, v.to('int64')]
    },
    backward: (ctx, g) => {
      runs++
      t.deepEqual(ctx.needsInputGrad, [true])
      return g.mul(2)
    },
  })
  const [a, b, c] = split(x)
  t.deepEqual([a.requiresGrad, b.requiresGrad, c.requiresGrad], [true, false, false])
  a.add(a.square()).backward()
  t.is(runs, 1)
  t.deepEqual(x.grad?.toArraySync(), [18])
})

test.serial('mistakes in backward are named, and the tape goes on', (t) => {
  const wrong = (result: () => Tensor | null | (Tensor | null)[]) =>
    customFunction({ forward: (_ctx, a: Tensor, b: Tensor) => a.mul(b), backward: () => result() })
  const [x, y] = [leaf(1, 2), leaf(3, 4)]
  const run = (result: () => Tensor | null | (Tensor | null)[]) => () => wrong(result)(x, y).sum().backward()
  t.throws(
    run(() => ones([2])),
    { code: 'autograd', message: /returned 1 gradients, and forward has 2 arguments/ },
  )
  t.throws(
    run(() => [ones([3]), null]),
    { code: 'shape', message: /shape \[3\] for argument 0, which has shape \[2\]/ },
  )
  const error = new Error('on purpose')
  t.is(
    t.throws(
      run(() => {
        throw error
      }),
    ),
    error,
  )
  t.true(isGradEnabled())
  run(() => [ones([2]), null])()
  t.deepEqual([x.grad?.toArraySync(), y.grad], [[1, 1], null])
})

test.serial('a function returns its argument, or runs where nothing is tracked', (t) => {
  const same = customFunction({ forward: (_ctx, x: Tensor) => x, backward: (_ctx, g) => g.neg() })
  const x = leaf(1)
  same(x).backward()
  t.deepEqual([x.grad?.itemSync(), x.isLeaf], [-1, true])
  t.false(same(ones([1])).requiresGrad)
})

test.serial('functions and checkpoints leave nothing behind', (t) => {
  const before = memory()
  for (let i = 0; i < 500; i++) {
    using _scope = tensorScope()
    const x = randn([4], { dtype: 'float64', requiresGrad: true })
    const y = checkpoint((v) => exp(both(v, x, 2)[1]), x)
    if (i % 2 === 0) grad(y.sum(), [x], { createGraph: i % 4 === 0 })
  }
  const after = memory()
  t.deepEqual([after.handles, after.tensors, after.bytes], [before.handles, before.tensors, before.bytes])
})

class Deep extends nn.Module {
  readonly layers = new nn.ModuleList(Array.from({ length: 6 }, () => new nn.Linear(16, 16)))
  readonly drop = new nn.Dropout(0.3)
  override forward(x: Tensor): Tensor {
    for (const layer of this.layers) x = this.drop.forward(layer.forward(x).tanh())
    return x
  }
}

test.serial('a checkpoint gives the same gradients, dropout included, and the generator goes on', (t) => {
  seed(1)
  const model = new Deep()
  const x = randn([8, 16], { requiresGrad: true })
  const run = (forward: (v: Tensor) => Tensor): [number, readonly number[][], unknown] => {
    seed(2)
    for (const p of [x, ...model.parameters()]) p.grad = null
    const loss = forward(x).square().sum()
    rand([2])
    loss.backward()
    const grads = [x, ...model.parameters()].map((p) => Array.from(p.grad?.dataSync() ?? []))
    return [loss.itemSync(), grads, rngState()]
  }
  const plain = run((v) => model.forward(v))
  t.deepEqual(
    run((v) => checkpoint((w) => model.forward(w), v)),
    plain,
  )
  t.deepEqual(
    run((v) => checkpoint((w) => checkpoint((u) => model.forward(u), w.mul(1)), v)),
    plain,
    'nested',
  )
})

test.serial('a checkpoint holds less', (t) => {
  using _scope = tensorScope()
  const model = new Deep()
  model.eval()
  const x = randn([512, 16])
  const held = (forward: (v: Tensor) => Tensor): number => {
    const before = memory().bytes
    using inner = tensorScope()
    const y = forward(x).sum()
    inner.end([y])
    const bytes = memory().bytes - before
    y.dispose()
    return bytes
  }
  const [plain, less] = [held((v) => model.forward(v)), held((v) => checkpoint((w) => model.forward(w), v))]
  t.true(less < plain / 4, `${less} bytes with a checkpoint, ${plain} without`)
})

test.serial('gradients of gradients go through a checkpoint, with several inputs and outputs', (t) => {
  const w = randn([3], { dtype: 'float64', requiresGrad: true })
  const fn = (a: Tensor<'float64'>, b: Tensor<'float64'>): Tensor<'float64'> => {
    const [p, q] = checkpoint((u, v) => [u.mul(v).tanh().mul(w), v.exp()] as const, a, b)
    return p.mul(q)
  }
  const [a, b] = [randn([3], { dtype: 'float64' }), randn([3], { dtype: 'float64' })]
  t.true(gradCheck(fn, [a, b]))
  t.true(gradCheck((u, v) => grad(fn(u, v).sum(), [u], { createGraph: true })[0], [a, b]))
  const [gw] = grad(fn(a, b).sum(), [w])
  closeTo(t, gw, a.mul(b).tanh().mul(b.exp()).dataSync())
})

test.serial('a checkpointed function that does something else is refused; one that throws leaves the tape usable', (t) => {
  const x = leaf(1)
  let calls = 0
  const y = checkpoint((v) => (calls++ === 0 ? v.exp() : v.sin().cos()), x)
  t.throws(() => y.backward(), { code: 'autograd', message: /op 0 was exp \[1\] in the forward and is sin \[1\]/ })
  const error = new Error('on purpose')
  t.is(
    t.throws(() =>
      checkpoint(() => {
        throw error
      }),
    ),
    error,
  )
  const z = checkpoint((v) => {
    if (calls++ === 3) throw error
    return v.exp()
  }, x)
  t.is(calls, 3)
  t.is(
    t.throws(() => z.backward({ retainGraph: true })),
    error,
  )
  z.backward()
  closeTo(t, x.grad ?? ones([0]), [Math.E])
})

test.serial('products with Jacobians and Hessians', (t) => {
  const x = tensor([1, 2], { dtype: 'float64' })
  const v = tensor([1, 10], { dtype: 'float64' })
  const fn = (u: Tensor<'float64'>): Tensor<'float64'> => u.pow(3)
  closeTo(t, vjp(fn, [x], v)[1][0] ?? x, [3, 120])
  closeTo(t, jvp(fn, [x], [v])[1], [3, 120])
  closeTo(t, hvp((u) => fn(u).sum(), [x], [v])[1][0] ?? x, [6, 120])
  closeTo(t, jacobian(fn, [x])[0] ?? x, [3, 0, 0, 12])
  closeTo(t, hessian((u) => fn(u).sum(), [x])[0]?.[0] ?? x, [6, 0, 0, 12])
  t.deepEqual(hvp((u) => u.sum(), [x], [v])[1][0]?.toArraySync(), [0, 0], 'a linear function has no curvature')
})
