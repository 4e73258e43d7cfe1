import test from 'ava'
import { Dropout } from '../../ts/nn/index.ts'
import { ones, seed } from '../../ts/tensor/index.ts'

test('in training a share p is dropped and the rest scaled; the gradient passes the same places', (t) => {
  seed(5)
  const x = ones([10_000], { requiresGrad: true })
  const y = new Dropout(0.25).forward(x)
  const values = Array.from(y.dataSync())
  const dropped = values.filter((value) => value === 0).length
  t.true(Math.abs(dropped - 2500) < 200, `${dropped} dropped`)
  t.true(values.every((value) => value === 0 || Math.abs(value - 4 / 3) < 1e-6))
  y.sum().backward()
  t.deepEqual(Array.from(x.grad?.dataSync() ?? []), values)
})

test('in evaluation nothing happens', (t) => {
  const x = ones([4])
  t.is(new Dropout().eval().forward(x), x)
})

test('p is a half unless given, and a share', (t) => {
  t.is(new Dropout().p, 0.5)
  t.throws(() => new Dropout(1.5), { code: 'argument', message: 'Dropout: p must be in [0, 1], got 1.5' })
  t.throws(() => new Dropout(NaN), { code: 'argument' })
})
