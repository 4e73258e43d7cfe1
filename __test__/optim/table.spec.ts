import test from 'ava'
import { inspect } from 'node:util'
import { Linear, Module } from '../../ts/nn/index.ts'
import { adamW, cosine, groupTable, sgd } from '../../ts/optim/index.ts'
import { tensor } from '../../ts/tensor/index.ts'

class Net extends Module {
  conv = new Linear(100, 100)
  fc = new Linear(100, 2, { bias: false })
  override forward(): void {}
}

test('the table shows pattern, tensors, numbers, rule, rate, decay, other options and names of each group', (t) => {
  const net = new Net()
  const text = groupTable({
    '^conv': sgd({ lr: 0.01, weightDecay: 0.1, momentum: 0.9, nesterov: true }).bind(net.conv),
    '^fc': adamW({ lr: cosine({ from: 0.001, steps: 1800 }) }).bind(net.fc),
  })
  t.is(
    text,
    [
      'pattern  tensors  numbers  rule   lr                                                      decay  options                        parameters',
      '^conv          2   10,100  sgd    0.01                                                    0.1    momentum: 0.9, nesterov: true  weight, bias',
      '^fc            1      200  adamW  cosine({ from: 0.001, to: 0, steps: 1800, warmup: 0 })  0.01   -                              weight',
    ].join('\n'),
  )
})

test('a bound optimizer prints its groups', (t) => {
  const opt = sgd({ lr: 0.5 }).bind(new Linear(2, 1))
  t.regex(inspect(opt), /^pattern +tensors +numbers +rule +lr +decay +options +parameters\n\* +2 +3 +sgd +0\.5 +0 +- +weight, bias$/)
})

test('of many names the first are shown', (t) => {
  const opt = sgd().bind([1, 2, 3, 4, 5].map((value) => tensor([value])))
  t.regex(String(opt), /- +0, 1, 2 and 2 more$/)
})
