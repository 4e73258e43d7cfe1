// A module that workers load: datasets with random pipelines, and with what goes wrong.
import { type Dataset, mapped, mappedEntry, randomCrop, randomFlip, resize, toTensor } from '../../ts/data/index.ts'
import { imageFolder } from '../../ts/datasets/index.ts'
import { ones, tensor } from '../../ts/tensor/index.ts'

export interface Noisy {
  readonly count: number
}

/** Samples of everything that crosses, each with noise of its own. */
export default function noisy({ count }: Noisy) {
  const numbers: Dataset<number> = { length: count, get: (i) => i }
  return mapped(
    numbers,
    (i, { random, epoch }) => ({ i, epoch, noise: random.uniform(), image: Float32Array.from({ length: 5 }, () => random.normal()) }),
    ({ image, ...rest }) => ({
      ...rest,
      image,
      x: tensor([1, 2]).mul(rest.noise),
      big: BigInt(rest.i),
      even: rest.i % 2 === 0,
      name: `n${rest.i}`,
    }),
  )
}

/** Samples of growing length. */
export const ragged = ({ count }: Noisy): Dataset<{ ids: Int32Array; x: ReturnType<typeof ones> }> => ({
  length: count,
  get: (i) => ({ ids: Int32Array.from({ length: i + 1 }, (_, at) => at), x: ones([i + 1]) }),
})

/** Fails at a sample, in one way or another. */
export const failing = ({ at, by }: { readonly at: number; readonly by: 'throw' | 'exit' | 'crash' | 'function' }): Dataset<unknown> => ({
  length: 12,
  get: (i) => {
    if (i !== at) return i
    if (by === 'throw') throw new RangeError(`no pixel in ${i}`)
    if (by === 'exit') process.exit(3)
    if (by === 'function') return () => i
    queueMicrotask(() => {
      throw new Error('out of the blue')
    })
    return i
  },
})

/** Takes its time over some samples, so that workers do not come in their turn. */
export const uneven = ({ count }: Noisy): Dataset<number> => ({
  length: count,
  get: (i) => {
    if (i % 3 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 8)
    return i
  },
})

/** Makes nothing. */
export const broken = (): Dataset<number> => {
  throw new Error('the folder is empty')
}

/** Images from files, cut and turned at random. */
export const pets = async ({ folder }: { readonly folder: string }) =>
  mappedEntry(await imageFolder(folder), 'image', randomCrop(2, { padding: 1 }), randomFlip(), toTensor(), resize(4))
