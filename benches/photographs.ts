// What the benchmark of loaders reads, in a module that its workers load, too: noise in place of photographs.
import { type Dataset, type Image, mappedEntry, normalize, randomCrop, randomFlip, toTensor } from '../ts/data/index.ts'

const side = 128

/** Images of noise, cut, turned and normalized. */
export default function photographs({ count }: { readonly count: number }) {
  const files: Dataset<{ image: Image; label: bigint }> = { length: count, get: (i) => ({ image: noise(i), label: BigInt(i % 10) }) }
  return mappedEntry(
    files,
    'image',
    randomCrop(112, { padding: 4 }),
    randomFlip(),
    toTensor(),
    normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
  )
}

function noise(seed: number): Image {
  const data = new Uint8Array(side * side * 3)
  let state = seed
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    data[i] = state >>> 24
  }
  return { width: side, height: side, channels: 3, data }
}
