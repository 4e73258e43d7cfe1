// Images a second through a pipeline that costs something, with and without workers; nothing else is done with them.
import { DataLoader, fromModule } from '../ts/index.ts'
import { measure, type Work } from './measure.ts'
import type photographs from './photographs.ts'

const images = 512

const dataset = await fromModule<typeof photographs>(new URL('photographs.ts', import.meta.url), { count: images })

/** One pass over the data; the workers are there from the first on. */
function pass(workers: number): ReturnType<Work['open']> {
  const loader = new DataLoader({ dataset, batchSize: 32, shuffle: true, workers })
  const run = async (): Promise<number> => {
    let seen = 0
    for await (const { image } of loader) seen += image.shape[0] ?? 0
    return seen
  }
  return { run, close: () => void loader.close() }
}

const name = (workers: number) => `crop, flip, tensor, normalize of 128 x 128, ${workers} workers`
const rows = await measure(
  'data',
  [0, 1, 2].map((workers): Work => ({ name: name(workers), per: images, budget: 4000, open: () => pass(workers) })),
)

for (const workers of [0, 1, 2]) {
  const median = rows.find((row) => row.name === name(workers))?.median
  if (median !== undefined) console.log(`  ${workers} workers: ${Math.round(1000 / median)} images a second`)
}
