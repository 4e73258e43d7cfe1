// What loaders hand out, as types; compiled, never run.
import { DataLoader, type Dataset, pipeline, TensorDataset } from 'firn-ml/data'
import { mnist } from 'firn-ml/datasets'
import type { Tensor } from 'firn-ml'

const points = new TensorDataset({
  at: { dtype: 'float32', shape: [2], data: new Float32Array(6) },
  label: { dtype: 'int64', shape: [], data: new BigInt64Array(3) },
})
for await (const { at, label } of new DataLoader({ dataset: points, batchSize: 2 })) {
  at satisfies Tensor
  label satisfies Tensor<'int64'>
  // @ts-expect-error labels are int64
  label satisfies Tensor
}
for (const { image } of new DataLoader({ dataset: mnist({ split: 'test' }) })) image satisfies Tensor

declare const own: Dataset<{ x: Tensor; n: number; big: bigint; yes: boolean; name: string; pair: [number, string] }>
for (const batch of new DataLoader({ dataset: own })) {
  batch satisfies { x: Tensor; n: Tensor; big: Tensor<'int64'>; yes: Tensor<'bool'>; name: string[]; pair: [Tensor, string[]] }
}
for (const batch of new DataLoader({ dataset: own, collate: (samples) => samples.map(({ name }) => name) })) batch satisfies string[]

for (const batch of new DataLoader({
  dataset: own,
  pipeline: ({ n, x }, { random }) => ({ x, twice: 2 * n, noisy: random.chance(0.5) }),
})) {
  batch satisfies { x: Tensor; twice: Tensor; noisy: Tensor<'bool'> }
}
const staged = pipeline(
  ({ n }: { n: number }) => ({ n, text: String(n) }),
  ({ text }, { index }) => ({ text, index }),
)
for (const batch of new DataLoader({ dataset: own, pipeline: staged })) batch satisfies { text: string[]; index: Tensor }
for (const batch of new DataLoader({ dataset: own, pipeline: staged, collate: (all) => all.map(({ index }) => index) }))
  batch satisfies number[]

export const refused = [
  // @ts-expect-error an array of another type than the dtype says
  new TensorDataset({ x: { dtype: 'int64', shape: [], data: new Float32Array(1) } }),
  // @ts-expect-error unknown option
  new DataLoader({ dataset: own, worker: 2 }),
  pipeline(
    // @ts-expect-error the second stage takes what the first does not give
    ({ n }: { n: number }) => n,
    (text: string) => text.length,
  ),
  // @ts-expect-error the pipeline takes other samples
  new DataLoader({ dataset: points, pipeline: staged }),
  // @ts-expect-error no such split
  mnist({ split: 'valid' }),
]
