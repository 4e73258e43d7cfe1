// A folder of images, a sub-folder for each class.
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import type { Dataset, Image, Origin, PortableDataset } from '../data/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { type Decode, decoder } from './decode.ts'

/** Options of `imageFolder`. */
export interface ImageFolderOptions {
  /** Channels that every image is brought to: grey, colours, or colours and opacity. @default 3 */
  readonly channels?: 1 | 3 | 4
  /** Images with more pixels are refused. @default 2 ** 26 */
  readonly maxPixels?: number
}

/** An image and the place of its class among `classes`. */
export interface LabelledImage {
  readonly image: Image
  readonly label: bigint
}

const extensions = ['.png', '.jpg', '.jpeg']

/**
 * The PNG and JPEG files below a folder, as torchvision's `ImageFolder`: each sub-folder is a class, classes and files come in the order of
 * their names. Files are decoded when their samples are asked for. Fails with code `'io'` when a class has no images, or a file is damaged.
 *
 * @example
 * const { mkdirSync, writeFileSync } = await import('node:fs')
 * const { encode } = await import('fast-png')
 * mkdirSync('pets/cat', { recursive: true })
 * writeFileSync('pets/cat/1.png', encode({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) }))
 * const pets = await imageFolder('pets', { channels: 1 })
 * pets.classes           // ['cat']
 * pets.get(0).image.data // [0, 255]
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  checkOptions('imageFolder', options, ['channels', 'maxPixels'])
  const { channels = 3, maxPixels = 2 ** 26 } = options
  return new ImageFolder(resolve(folder), options, await decoder({ channels, maxPixels }))
}

/** For workers. @internal */
export const remakeImages = ({ folder, options }: { folder: string; options: ImageFolderOptions }): Promise<Dataset> =>
  imageFolder(folder, options)

/** Images in the sub-folders of their classes; made by `imageFolder`. */
export class ImageFolder implements PortableDataset<LabelledImage> {
  readonly classes: readonly string[]
  /** The paths of the samples, in order. */
  readonly files: readonly string[]
  readonly #labels: readonly bigint[]
  readonly #folder: string
  readonly #options: ImageFolderOptions
  readonly #decode: Decode

  constructor(folder: string, options: ImageFolderOptions, decode: Decode) {
    const found = classesIn(folder)
    this.classes = found.map(({ name }) => name)
    this.files = found.flatMap(({ files }) => files)
    this.#labels = found.flatMap(({ files }, label) => files.map(() => BigInt(label)))
    this.#folder = folder
    this.#options = options
    this.#decode = decode
  }

  get length(): number {
    return this.files.length
  }

  get(index: number): LabelledImage {
    const [path, label] = [this.files[index], this.#labels[index]]
    if (path === undefined || label === undefined)
      throw new FirnError('argument', `imageFolder: no sample ${index}; there are ${this.length}, counted from 0`)
    return {
      image: this.#decode(
        `imageFolder: '${path}'`,
        reading(path, () => readFileSync(path)),
      ),
      label,
    }
  }

  origin(): Origin {
    return { module: import.meta.url, name: 'remakeImages', args: { folder: this.#folder, options: this.#options } }
  }
}

function classesIn(folder: string): readonly { readonly name: string; readonly files: readonly string[] }[] {
  const names = reading(folder, () => readdirSync(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
  if (names.length === 0) throw new FirnError('io', `imageFolder: '${folder}' has no sub-folders; each of them is a class`)
  return names.map((name) => {
    const files = readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' })
      .filter((file) => extensions.includes(extname(file).toLowerCase()))
      .toSorted()
      .map((file) => join(folder, name, file))
    if (files.length === 0) throw new FirnError('io', `imageFolder: '${join(folder, name)}' has no ${extensions.join(', ')} files`)
    return { name, files }
  })
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new FirnError('io', `imageFolder: cannot read '${path}': ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
