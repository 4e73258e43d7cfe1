// What loaders hand out, as types; compiled, never run.
import {
  DataLoader,
  type Dataset,
  fromIterable,
  fromModule,
  mapped,
  mappedEntry,
  pipeline,
  randomCrop,
  randomSplit,
  TensorDataset,
  toTensor,
} from 'firn-ml/data'
import { csv, imageFolder, mnist } from 'firn-ml/datasets'
import type { Tensor } from 'firn-ml'

const points = new TensorDataset({
  at: { dtype: 'float32', shape: [2], data: new Float32Array(6) },
  label: { dtype: 'int64', shape: [], data: new BigInt64Array(3) },
})
for await (const { at, label } of new DataLoader({ dataset: points, batchSize: 2 })) {
  at satisfies Tensor
  label satisfies Tensor<'int64'>
  // @ts-expect-error Type '"int64"' is not assignable to type '"float32"'
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

// Each function takes what the one before it gave; an entry changes its type and leaves the others.
const chained = mapped(
  own,
  ({ n }) => ({ n, half: n / 2 }),
  ({ half }, { random }) => ({ noisy: half + random.normal(), list: Float32Array.of(half) }),
)
chained satisfies Dataset<{ noisy: number; list: Float32Array }>
for (const batch of new DataLoader({ dataset: chained })) batch satisfies { noisy: Tensor; list: Tensor }
mappedEntry(
  own,
  'name',
  (name) => name.length,
  (length) => length > 2,
).get(0) satisfies { x: Tensor; name: boolean; big: bigint }
randomSplit(own, [0.5, 0.5]) satisfies readonly [Dataset<{ n: number }>, Dataset<{ n: number }>]

const trees = await csv('trees.csv', { columns: { width: 'float32', kind: ['fir', 'oak'], age: 'int64', alive: 'bool', name: 'string' } })
trees.get(0) satisfies { width: number; kind: bigint; age: bigint; alive: boolean; name: string }
for (const batch of new DataLoader({ dataset: trees }))
  batch satisfies { width: Tensor; kind: Tensor<'int64'>; alive: Tensor<'bool'>; name: string[] }

const make = async ({ folder }: { folder: string }) => mappedEntry(await imageFolder(folder), 'image', randomCrop(32), toTensor())
const images = await fromModule<typeof make>('./images.ts', { folder: 'pets' })
for await (const batch of new DataLoader({ dataset: images, workers: 2 })) batch satisfies { image: Tensor; label: Tensor<'int64'> }
const streamed = fromIterable(async function* () {
  yield { id: 1n }
})
for await (const { id } of new DataLoader({ dataset: streamed })) id satisfies Tensor<'int64'>

export const refused = [
  // @ts-expect-error Type 'number' is not assignable to type 'bigint'
  new TensorDataset({ x: { dtype: 'int64', shape: [], data: new Float32Array(1) } }),
  // @ts-expect-error 'worker' does not exist in type 'LoaderOptions
  new DataLoader({ dataset: own, worker: 2 }),
  pipeline(
    // @ts-expect-error Type 'number' is not assignable to type 'string'
    ({ n }: { n: number }) => n,
    (text: string) => text.length,
  ),
  // @ts-expect-error Property 'n' is missing in type '{ readonly at: Tensor<"float32">
  new DataLoader({ dataset: points, pipeline: staged }),
  // @ts-expect-error 'hight' does not exist in type
  csv('trees.csv', { columns: { width: 'float32' }, fill: { hight: 0 } }),
  // @ts-expect-error Type 'boolean' is not assignable to type 'string'
  mappedEntry(own, 'yes', (text: string) => text.length),
  // @ts-expect-error 'path' does not exist in type '{ folder: string; }'
  fromModule<typeof make>('./images.ts', { path: 'pets' }),
  // @ts-expect-error Type '"valid"' is not assignable to type '"test" | "train"'
  mnist({ split: 'valid' }),
]
