import test from 'ava'
import { Linear, Module, ModuleList, ReLU, Sequential } from '../../ts/nn/index.ts'
import { type Tensor, tensor } from '../../ts/tensor/index.ts'

class ArgMax extends Module {
  override forward(x: Tensor): Tensor<'int64'> {
    return x.argmax(-1)
  }
}

test('Sequential runs its stages in order, modules and functions alike', (t) => {
  const model = new Sequential(
    (x) => x.add(1),
    new ReLU(),
    (x) => x.mul(10),
  )
  const y: Tensor = model.forward(tensor([-3, 2]))
  t.deepEqual(Array.from(y.dataSync()), [0, 30])
})

test('keys are positions, functions counted', (t) => {
  const model = new Sequential(new Linear(2, 3), (x) => x.relu(), new Sequential(new Linear(3, 1, { bias: false })))
  t.deepEqual(Object.keys(model.stateDict()), ['0.weight', '0.bias', '2.0.weight'])
  t.deepEqual(
    model.namedChildren().map(([name]) => name),
    ['0', '1', '2'],
  )
})

test('the dtype that goes in and comes out is that of the first and last stage', (t) => {
  const model = new Sequential(new Linear(2, 3), new ArgMax())
  const y: Tensor<'int64'> = model.forward(tensor([[1, 2]]))
  t.is(y.dtype, 'int64')
  // @ts-expect-error a layer of floats after whole numbers
  t.truthy(new Sequential(new ArgMax(), new Linear(2, 3)))
  // @ts-expect-error whole numbers into a layer of floats
  const wrong = (x: Tensor<'int64'>) => model.forward(x)
  t.is(typeof wrong, 'function')
})

test('ModuleList holds modules under their positions', (t) => {
  const [a, b, c] = [new Linear(1, 1), new Linear(1, 1), new Linear(1, 1)]
  class Stack extends Module {
    layers = new ModuleList([a, b])
    override forward(x: Tensor): Tensor {
      for (const layer of this.layers) x = layer.forward(x)
      return x
    }
  }
  const stack = new Stack()
  stack.layers.push(c)
  t.is(stack.layers.length, 3)
  t.is(stack.layers.at(-1), c)
  t.deepEqual([...stack.layers], [a, b, c])
  t.deepEqual(
    stack
      .namedParameters()
      .map(([name]) => name)
      .slice(-2),
    ['layers.2.weight', 'layers.2.bias'],
  )
  t.deepEqual(stack.forward(tensor([1])).shape, [1])
  t.throws(() => stack.layers.forward(), { code: 'argument' })
})
