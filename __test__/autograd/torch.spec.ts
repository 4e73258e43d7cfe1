// Gradients of gradients against PyTorch's double backward.
import test from 'ava'
import { checkpoint, grad, hvp, tensor, type Tensor } from '../../ts/index.ts'
import { closeTo, fixture, fromStored, type StoredTensor } from '../helpers.ts'

type Double = Tensor<'float64'>

const { penalty, hvp: products, programs } = fixture('autograd')
const tight = { rtol: 1e-10, atol: 1e-12 }

const double = (stored: StoredTensor): Double => fromStored(stored).to('float64').detach()
const leaf = (stored: StoredTensor): Double => {
  const x = double(stored)
  x.requiresGrad = true
  return x
}
const zero = (): Double => tensor([0], { dtype: 'float64' })

const mlp = (x: Double, w1: Double, b1: Double, w2: Double): Double => x.matmul(w1).add(b1).tanh().matmul(w2)

for (const checkpointed of [false, true]) {
  test(`the gradient penalty of a network has PyTorch's gradients${checkpointed ? ', checkpointed' : ''}`, (t) => {
    for (const { inputs, loss, grads } of penalty) {
      const [x = zero(), w1 = zero(), b1 = zero(), w2 = zero()] = inputs.map(leaf)
      const out = checkpointed ? checkpoint(mlp, x, w1, b1, w2) : mlp(x, w1, b1, w2)
      const [gx] = grad(out.sum(), [x], { createGraph: true })
      const value = gx.square().sum(1).sqrt().sub(1).square().mean()
      closeTo(t, value, [loss], tight)
      const found = grad(value, [x, w1, b1, w2])
      found.forEach((g, i) => closeTo(t, g, grads[i] ?? [], tight, `input ${i}`))
    }
  })
}

test('Hessian-vector products are those of torch.autograd.functional.hvp', (t) => {
  for (const { inputs, v, value, product } of products) {
    const [x = zero(), ...weights] = inputs.map(double)
    const [y, found] = hvp<'float64'>(
      (w1, b1, w2) =>
        mlp(x, w1 ?? x, b1 ?? x, w2 ?? x)
          .square()
          .sum(),
      weights,
      v.map(double),
    )
    closeTo(t, y, [value], tight)
    found.forEach((g, i) => closeTo(t, g, product[i] ?? [], tight, `weight ${i}`))
  }
})

const apply = (op: string, a: Double, b: Double): Double => {
  if (op === 'add') return a.add(b)
  if (op === 'sub') return a.sub(b)
  if (op === 'mul') return a.mul(b)
  return op === 'tanh' ? a.tanh() : op === 'sin' ? a.sin() : a.square()
}

programs.forEach(({ inputs, steps, first, second }, number) => {
  test(`random program ${number}, with shared values: first and second gradients, and which there are none`, (t) => {
    const leaves = inputs.map(leaf)
    const values = [...leaves]
    for (const [op, a, b] of steps) values.push(apply(op, values[a] ?? zero(), values[b] ?? zero()))
    const total = (values.at(-1) ?? zero()).sum().add((values.at(-2) ?? zero()).sum())
    const found = grad(total, leaves, { createGraph: true, allowUnused: true })
    const compare = (got: readonly (Double | null)[], want: readonly (readonly number[] | null)[]): void =>
      want.forEach((expected, i) => {
        const g = got[i] ?? null
        if (expected === null) t.is(g, null, `input ${i} is not used`)
        else if (g === null)
          t.true(
            expected.every((value) => value === 0),
            `input ${i}`,
          )
        else closeTo(t, g, expected, tight, `input ${i}`)
      })
    compare(found, first)
    const again = found.flatMap((g) => (g !== null && g.requiresGrad ? [g.square().sum()] : []))
    if (again.length === 0) {
      t.true(second.every((g) => g === null))
      return
    }
    const deeper = grad(again, leaves, { allowUnused: true })
    leaves.forEach((_, i) => {
      const [g, expected] = [deeper[i] ?? null, second[i] ?? null]
      if (expected !== null && g !== null) closeTo(t, g, expected, tight, `input ${i}, second`)
      else if (expected !== null)
        t.true(
          expected.every((value) => value === 0),
          `input ${i}, second`,
        )
      else if (g !== null)
        t.true(
          g.dataSync().every((value) => value === 0),
          `input ${i}, second`,
        )
    })
  })
})
