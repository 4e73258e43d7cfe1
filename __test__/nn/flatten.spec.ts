import test from 'ava'
import { Flatten, Unflatten } from '../../ts/nn/index.ts'
import { arange, zeros } from '../../ts/tensor/index.ts'

test('Flatten keeps the batch unless told otherwise', (t) => {
  t.deepEqual(new Flatten().forward(zeros([2, 3, 4, 5])).shape, [2, 60])
  t.deepEqual(new Flatten(0).forward(zeros([2, 3])).shape, [6])
  t.deepEqual(new Flatten(1, 2).forward(zeros([2, 3, 4, 5])).shape, [2, 12, 5])
})

test('Unflatten undoes it', (t) => {
  const x = arange(0, 24).reshape([2, 3, 4])
  const y = new Unflatten(1, [3, 4]).forward(new Flatten().forward(x))
  t.deepEqual(y.shape, [2, 3, 4])
  t.deepEqual(y.dataSync(), x.dataSync())
  t.deepEqual(new Unflatten(-1, [2, 2]).forward(x).shape, [2, 3, 2, 2])
  t.throws(() => new Unflatten(1, [5, 2]).forward(zeros([2, 12])), {
    code: 'shape',
    message: /dimension 1 of \[2, 12\] does not split into \[5, 2\]/,
  })
})
