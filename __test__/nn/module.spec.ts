import test from 'ava'
import { Buffer, BatchNorm2d, Linear, Module, Parameter } from '../../ts/nn/index.ts'
import { memory, ones, type Tensor, tensor, zeros } from '../../ts/tensor/index.ts'

class Block extends Module {
  fc = new Linear(2, 2)
  bn = new BatchNorm2d(2)
  override forward(x: Tensor): Tensor {
    return this.fc.forward(x)
  }
}

class Net extends Module {
  first = new Linear(3, 2)
  blocks = [new Block(), new Block()]
  scale = new Parameter(ones([1]))
  readonly offset = this.registerBuffer('offset_value', zeros([2]))
  readonly scratch = new Buffer(zeros([2]), { persistent: false })
  note = zeros([4])
  #hidden = new Linear(5, 5)
  override forward(x: Tensor): Tensor {
    return this.first.forward(x)
  }
  hidden(): Linear {
    return this.#hidden
  }
}

test('parameters come in field order, with dotted names, from fields, arrays and modules', (t) => {
  const names = new Net().namedParameters().map(([name]) => name)
  t.deepEqual(names, [
    'scale',
    'first.weight',
    'first.bias',
    'blocks.0.fc.weight',
    'blocks.0.fc.bias',
    'blocks.0.bn.weight',
    'blocks.0.bn.bias',
    'blocks.1.fc.weight',
    'blocks.1.fc.bias',
    'blocks.1.bn.weight',
    'blocks.1.bn.bias',
  ])
})

test('state dict keys are PyTorch’s: snake_case buffers, fields under their own names', (t) => {
  const keys = Object.keys(new Block().stateDict())
  t.deepEqual(keys, ['fc.weight', 'fc.bias', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var', 'bn.num_batches_tracked'])
  t.is(new Block().stateDict()['bn.num_batches_tracked']?.dtype, 'int64')
})

test('registerBuffer names the key; a buffer that is not persistent is a buffer but not saved', (t) => {
  const net = new Net()
  const state = net.stateDict()
  t.true('offset_value' in state)
  t.false('offset' in state)
  t.false('scratch' in state)
  t.true(net.namedBuffers().some(([name, buffer]) => name === 'scratch' && buffer === net.scratch))
})

test('plain tensors and #private fields are not part of the state', (t) => {
  const net = new Net()
  t.false(Object.keys(net.stateDict()).some((key) => key.startsWith('note') || key.includes('hidden')))
  t.false(net.modules().includes(net.hidden()))
})

test('any field name is good', (t) => {
  class Parts extends Module {
    parts = [new Linear(1, 1)]
    override forward(): void {}
  }
  t.deepEqual(Object.keys(new Parts().stateDict()), ['parts.0.weight', 'parts.0.bias'])
})

test('a field set later is found, a field set anew is the one that counts', (t) => {
  const block = new Block()
  const head = new Linear(2, 3)
  block.fc = head
  t.true(block.parameters()[0] === head.weight)
})

test('a shared module gives its parameters once and its keys twice', (t) => {
  class Tied extends Module {
    a = new Linear(2, 2)
    b = this.a
    override forward(x: Tensor): Tensor {
      return this.b.forward(this.a.forward(x))
    }
  }
  const tied = new Tied()
  t.deepEqual(
    tied.namedParameters().map(([name]) => name),
    ['a.weight', 'a.bias'],
  )
  t.deepEqual(Object.keys(tied.stateDict()), ['a.weight', 'a.bias', 'b.weight', 'b.bias'])
  t.is(tied.children().length, 1)
})

test('a module that contains itself is an error that says where', (t) => {
  class Loop extends Module {
    inner: Module = new Linear(1, 1)
    override forward(): void {}
  }
  const loop = new Loop()
  loop.inner = loop
  t.throws(() => loop.parameters(), { code: 'argument', message: /Loop: a module contains itself, at 'inner'/ })
})

test('two tensors under one key are an error', (t) => {
  class Twice extends Module {
    weight = new Parameter(ones([1]))
    other = this.registerBuffer('weight', ones([1]))
    override forward(): void {}
  }
  t.throws(() => new Twice().stateDict(), { code: 'argument', message: /'weight'/ })
})

test('modules, children and their names', (t) => {
  const net = new Net()
  t.deepEqual(
    net.namedModules().map(([name]) => name),
    ['', 'first', 'blocks.0', 'blocks.0.fc', 'blocks.0.bn', 'blocks.1', 'blocks.1.fc', 'blocks.1.bn'],
  )
  t.deepEqual(
    net.namedChildren().map(([name]) => name),
    ['first', 'blocks.0', 'blocks.1'],
  )
  t.is(net.modules()[0], net)
})

test('train and eval reach the whole tree and return the module', (t) => {
  const net = new Net()
  t.is(net.eval(), net)
  t.true(net.modules().every(({ training }) => !training))
  t.true(
    net
      .train()
      .modules()
      .every(({ training }) => training),
  )
})

test('freeze stops gradients and drops those there are; unfreeze lets them come again', (t) => {
  const layer = new Linear(2, 1)
  layer
    .forward(ones([1, 2]))
    .sum()
    .backward()
  t.not(layer.weight.grad, null)
  layer.freeze()
  t.is(layer.weight.grad, null)
  t.false(layer.weight.requiresGrad)
  t.false(layer.forward(ones([1, 2])).requiresGrad)
  layer
    .unfreeze()
    .forward(ones([1, 2]))
    .sum()
    .backward()
  t.not(layer.weight.grad, null)
})

test('apply visits inner modules before outer ones', (t) => {
  const seen: string[] = []
  new Block().apply((module) => seen.push(module.constructor.name))
  t.is(seen.at(-1), 'Block')
  t.deepEqual(seen.toSorted(), ['BatchNorm2d', 'Block', 'Linear'])
})

test('a state dict is a snapshot: assigning afterwards does not change it', (t) => {
  const layer = new Linear(1, 1)
  const before = layer.weight.itemSync()
  const state = layer.stateDict()
  layer.weight.update(() => tensor([[123]]))
  t.is(state['weight']?.itemSync(), before)
})

test('dispose frees every parameter and buffer', (t) => {
  const before = memory().tensors
  const net = new Block()
  t.true(memory().tensors > before)
  net.dispose()
  t.is(memory().tensors, before)
  t.true(net.fc.weight.isDisposed)
})
