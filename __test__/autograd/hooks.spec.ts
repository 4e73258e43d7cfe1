// Hooks: what they see, when they run, and what happens when they throw.
import test from 'ava'
import { backward, enableGrad, grad, isGradEnabled, memory, ones, tensor, tensorScope, type Tensor } from '../../ts/index.ts'

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true })

test.serial('hooks run in the order of PyTorch: newest op first, each leaf as soon as its gradient is complete', (t) => {
  // The same program in PyTorch 2.15 prints this list.
  const seen: string[] = []
  const [a, b] = [leaf(1, 2), leaf(3, 4)]
  for (const [name, x] of Object.entries({ a, b })) {
    x.registerHook(() => void seen.push(name))
    x.registerPostAccumulateGradHook(() => void seen.push(`post ${name}`))
  }
  const c = a.mul(b)
  c.registerHook(() => void seen.push('c'))
  const d = c.exp()
  d.registerHook(() => void seen.push('d1'))
  d.registerHook(() => void seen.push('d2'))
  const e = d.add(b)
  e.registerHook(() => void seen.push('e'))
  const s = e.sum()
  s.registerHook(() => void seen.push('s'))
  c.retainGrad()
  c.registerHook((g) => {
    seen.push('c2')
    return g.mul(2)
  })
  s.backward({ retainGraph: true })
  t.deepEqual(seen, ['s', 'e', 'd1', 'd2', 'c', 'c2', 'a', 'post a', 'b', 'post b'])
  t.deepEqual(c.grad?.toArraySync(), [40.171074, 5961.916].map(Math.fround), 'a retained gradient is what the hooks made')
  seen.length = 0
  grad(s, [c], { retainGraph: true })
  t.deepEqual(seen, ['s', 'e', 'd1', 'd2', 'c', 'c2'], 'grad() walks no further than its inputs')
})

test.serial('a hook replaces the gradient, and a removed one does not', (t) => {
  const x = leaf(1, 2)
  const first = x.registerHook((g) => g.mul(10))
  x.registerHook((g) => g.add(1))
  x.sum().backward()
  t.deepEqual(x.grad?.toArraySync(), [11, 11])
  first.remove()
  first.remove()
  x.sum().backward()
  t.deepEqual(x.grad?.toArraySync(), [13, 13])
})

test.serial('a gradient of another shape or dtype is refused', (t) => {
  const x = leaf(1, 2)
  x.registerHook(() => ones([3]))
  t.throws(() => x.sum().backward(), { code: 'shape', message: /a hook of the result of leaf returned float32 \[3\]/ })
})

test.serial('what a hook throws arrives as it is, and the tape goes on', (t) => {
  const before = memory().handles
  {
    using _scope = tensorScope()
    const x = leaf(1)
    const thrown = new RangeError('on purpose')
    let wrong: unknown = thrown
    const hook = x.registerHook(() => {
      ones([100])
      throw wrong
    })
    t.is(
      t.throws(() => x.mul(2).backward()),
      thrown,
    )
    wrong = 'a string'
    try {
      x.mul(2).backward()
      t.fail()
    } catch (error) {
      t.is(error, 'a string')
    }
    t.true(isGradEnabled())
    hook.remove()
    x.mul(2).backward()
    t.deepEqual(x.grad?.toArraySync(), [2])
    t.throws(() => x.mul(2).registerPostAccumulateGradHook(() => {}), { code: 'autograd', message: /result of mul/ })
  }
  t.is(memory().handles, before)
})

test.serial('what a hook makes is freed, what it keeps lives, and a kept gradient does not change', (t) => {
  using _scope = tensorScope()
  const x = leaf(1, 2)
  const kept: Tensor[] = []
  x.registerHook((g) => {
    if (kept.length === 0) kept.push(g.keep())
    g.mul(3)
  })
  x.mul(2).sum().backward()
  const handles = memory().handles
  x.mul(2).sum().backward()
  x.mul(2).sum().backward()
  t.is(memory().handles, handles + 4, 'the results of two ops, nothing of the hooks')
  t.deepEqual(kept[0]?.toArraySync(), [2, 2])
  t.deepEqual(x.grad?.toArraySync(), [6, 6])
  kept[0]?.dispose()
})

test.serial('10,000 hooks registered and dropped leave nothing behind', (t) => {
  const before = memory()
  for (let i = 0; i < 10_000; i++) {
    using _scope = tensorScope()
    const x = leaf(1, 2)
    const hook = x.registerHook((g) => void x.shape.concat(g.shape))
    x.registerPostAccumulateGradHook((p) => (p.grad = null))
    const y = x.mul(2)
    y.registerHook(() => void y.shape)
    if (i % 2 === 0) y.sum().backward()
    if (i % 3 === 0) hook.remove()
  }
  const after = memory()
  t.deepEqual([after.handles, after.tensors, after.bytes], [before.handles, before.tensors, before.bytes])
})

test.serial('a hook may walk another graph', (t) => {
  const [x, y] = [leaf(3), leaf(5)]
  x.registerHook((g) => enableGrad(() => grad(y.square().mul(g), [y])[0]))
  x.mul(2).backward()
  t.deepEqual(x.grad?.toArraySync(), [20])
})

test.serial('saved tensors go while the walk comes down: a chain of 100 holds none at its end', (t) => {
  using _scope = tensorScope()
  const x = ones([1000], { requiresGrad: true })
  const bytes: number[] = []
  let loss: Tensor
  {
    using inner = tensorScope()
    let y: Tensor = x
    for (let i = 0; i < 100; i++) {
      y = y.mul(x)
      if (i % 10 === 0) y.registerHook(() => void bytes.push(memory().bytes))
    }
    loss = y.sum()
    inner.end([loss])
  }
  loss.backward()
  t.is(bytes.length, 10)
  t.true(
    bytes.every((b, i) => i === 0 || b < (bytes[i - 1] ?? 0) - 8 * 4000),
    bytes.join(' '),
  )
})

test('several roots, one pass; gradients for some', (t) => {
  const x = leaf(1, 2)
  backward([x.sum(), x.mul(3)], { gradients: [null, tensor([1, 10])] })
  t.deepEqual(x.grad?.toArraySync(), [4, 31])
  t.throws(() => backward([x.sum()], { gradients: [] }), { code: 'argument' })
})

test('grad: unused, repeated, inner and output inputs', (t) => {
  const [x, z] = [leaf(2), leaf(1)]
  const y = x.mul(3)
  const out = y.square()
  const [gx, gz] = grad(out, [x, z], { allowUnused: true, retainGraph: true })
  t.deepEqual([gx?.toArraySync(), gz], [[36], null])
  t.throws(() => grad(out, [x, z], { retainGraph: true }), { code: 'autograd', message: /input 1.*allowUnused/ })
  const [a, b, c, d] = grad(out, [x, y, x, out], { retainGraph: true })
  t.deepEqual(
    [a, b, c, d].map((g) => g.itemSync()),
    [36, 12, 36, 1],
  )
  t.true(x.isLeaf && !y.isLeaf && y.detach().isLeaf)
  out.backward()
  t.deepEqual([x.grad?.itemSync(), y.grad], [36, null])
})

test('a leaf is written inside noGrad only, and the tape keeps what it saved', (t) => {
  const x = leaf(3)
  const y = x.square()
  t.throws(() => x.assign(tensor([5])), { code: 'autograd', message: /noGrad/ })
  x.update((v) => v.mul(100))
  y.backward()
  t.deepEqual([x.itemSync(), x.grad?.itemSync(), x.requiresGrad], [300, 6, true])
  t.throws(() => x.update(() => ones([2])), { code: 'shape' })
  t.true(isGradEnabled())
})
