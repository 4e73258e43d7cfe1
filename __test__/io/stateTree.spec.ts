import test from 'ava'
import { joinState, splitState, type StateTree } from '../../ts/io/index.ts'
import { ones, tensor } from '../../ts/tensor/index.ts'

test('tensors leave under their paths, the rest is JSON, and both come together again', (t) => {
  const w = ones([2])
  const b = tensor([1, 2])
  const state = {
    module: { 'conv1.weight': w },
    optimizers: { '^a/b': { steps: 3, list: [b, null, true, 'x'] } },
    best: -Infinity,
    nothing: [NaN, -0, 0.1],
  }
  const { tensors, json } = splitState(state)
  t.deepEqual(Object.keys(tensors), ['module/conv1.weight', 'optimizers/^a/b/list/0'])
  const back = joinState(JSON.parse(JSON.stringify(json)), tensors)
  t.deepEqual(back, state)
})

test('a tensor alone is a state too', (t) => {
  const w = ones([1])
  const { tensors, json } = splitState(w)
  t.is(joinState(json, tensors), w)
})

test('a missing tensor is an error that names it', (t) => {
  const { json } = splitState({ a: { w: ones([1]) } })
  t.throws(() => joinState(json, {}), { code: 'io', message: /'a\/w'.*missing/ })
})

test('paths that meet and keys that are taken are refused', (t) => {
  const refused: StateTree[] = [{ a: { 'b/c': ones([1]) }, 'a/b': { c: ones([1]) } }, { $tensor: 'x' }, { a: [{ $number: 1 }] }]
  for (const state of refused) t.throws(() => splitState(state), { code: 'argument' })
})
