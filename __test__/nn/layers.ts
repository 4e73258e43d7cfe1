// Runs a layer on PyTorch's cases of nn.json: same weights and input, then output and gradients.
import test from 'ava'
import type { Module } from '../../ts/nn/index.ts'
import { type DType, type Pair, type Tensor, tensor, type Triple } from '../../ts/tensor/index.ts'
import { closeTo, fixture, fromStored, type StoredTensor, weights } from '../helpers.ts'

/** A tensor of a fixture as float32. */
export const stored = ({ shape, data }: StoredTensor, requiresGrad = false): Tensor => tensor(data.map(Number), { shape, requiresGrad })

/** The state of a fixture, each tensor in its dtype. */
export const storedState = (state: Readonly<Record<string, StoredTensor>>) =>
  Object.fromEntries(Object.entries(state).map(([key, value]) => [key, fromStored(value)]))

/** The scalar that the fixtures differentiate. */
export const weighted = (out: Tensor): Tensor => out.mul(tensor(weights(out.shape), { shape: out.shape })).sum()

/** Sizes of a fixture's options, for layers over two dimensions. */
export const toPair = (value: unknown): Pair => (Array.isArray(value) ? [Number(value[0]), Number(value[1])] : Number(value))

/** The same for three dimensions. */
export const toTriple = (value: unknown): Triple =>
  Array.isArray(value) ? [Number(value[0]), Number(value[1]), Number(value[2])] : Number(value)

/** One test for each case of `layer`, made by `make` from the fixture's options. */
export function checkLayers(
  layer: string,
  make: (options: Readonly<Record<string, unknown>>) => Module & { forward(x: Tensor): Tensor },
): void {
  const cases = fixture('nn').layers.filter((entry) => entry.layer === layer)
  if (cases.length === 0) throw new Error(`nn.json has no case of ${layer}`)
  for (const { options, state, x, out, grad } of cases) {
    test(`${layer} ${JSON.stringify(options)} equals PyTorch, forward and backward`, (t) => {
      const module = make(options)
      module.loadStateDict(storedState(state))
      const input = stored(x, true)
      const result = module.forward(input)
      t.deepEqual(result.shape, out.shape)
      closeTo(t, result, out.data, { rtol: 1e-5, atol: 1e-6 }, 'out')
      weighted(result).backward()
      const grads = new Map<string, Tensor<DType> | null>([['x', input.grad]])
      for (const [name, parameter] of module.namedParameters()) grads.set(name, parameter.grad)
      t.deepEqual([...grads.keys()].toSorted(), Object.keys(grad).toSorted())
      for (const [name, expected] of Object.entries(grad)) {
        closeTo(t, grads.get(name)?.dataSync() ?? [], expected, { rtol: 1e-4, atol: 1e-5 }, name)
      }
    })
  }
}
