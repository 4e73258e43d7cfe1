import test from 'ava'
import { Buffer, Parameter } from '../../ts/nn/index.ts'
import { memory, ones, Tensor, tensorScope } from '../../ts/tensor/index.ts'

test('a parameter is a tensor that requires a gradient', (t) => {
  const weight = new Parameter(ones([2]))
  t.true(weight instanceof Tensor)
  t.true(weight.requiresGrad)
  weight.mul(3).sum().backward()
  t.deepEqual(Array.from(weight.grad?.dataSync() ?? []), [3, 3])
})

test('a parameter made from the result of operations is a leaf', (t) => {
  const source = ones([2], { requiresGrad: true })
  const weight = new Parameter(source.mul(2))
  weight.sum().backward()
  t.deepEqual(Array.from(weight.grad?.dataSync() ?? []), [1, 1])
  t.is(source.grad, null)
})

test('parameters and buffers survive the scope they are made in, and take one tensor each', (t) => {
  const before = memory().tensors
  const made: (Parameter | Buffer)[] = []
  {
    using _ = tensorScope()
    made.push(new Parameter(ones([2])), new Buffer(ones([2])))
  }
  t.false(made.some(({ isDisposed }) => isDisposed))
  t.is(memory().tensors, before + 2)
  for (const tensor of made) tensor.dispose()
  t.is(memory().tensors, before)
})

test('they take the value over: the tensor they were made from is freed, a clone is not', (t) => {
  const [value, other] = [ones([2]), ones([2])]
  t.deepEqual(Array.from(new Parameter(value).dataSync()), [1, 1])
  t.true(value.isDisposed)
  t.deepEqual(Array.from(new Buffer(other.clone()).dataSync()), [1, 1])
  t.false(other.isDisposed)
})

test('a buffer requires no gradient, is saved and named by its field unless told otherwise', (t) => {
  const buffer = new Buffer(ones([2]))
  t.false(buffer.requiresGrad)
  t.true(buffer.persistent)
  t.is(buffer.key, null)
  t.throws(() => new Buffer(ones([1]), Object.assign({ key: 'a' }, { persistant: false })), { code: 'argument', message: /persistant/ })
})
