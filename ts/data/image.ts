// Images as bytes, and the stages of pipelines that cut, turn and scale them.
import { checkOptions, FirnError } from '../errors.ts'
import { F } from '../nn/index.ts'
import { type Tensor, tensor } from '../tensor/index.ts'
import { described, type Stage } from './pipeline.ts'

/** An image: row by row, pixel by pixel, the channels of a pixel side by side. */
export interface Image {
  readonly width: number
  readonly height: number
  /** 1 is grey, 3 red, green and blue, 4 those and opacity. */
  readonly channels: number
  readonly data: Uint8Array
}

/** A height and a width, or one number for both. */
export type ImageSize = number | readonly [height: number, width: number]

/** Options of `randomCrop`. */
export interface CropOptions {
  /** Pixels added on each side before. @default 0 */
  readonly padding?: number
  /** What the added pixels hold, 0 to 255. @default 0 */
  readonly fill?: number
}

/** Options of `randomFlip`. */
export interface FlipOptions {
  /** The share of images that are turned. @default 0.5 */
  readonly p?: number
  /** Whether top and bottom change places, instead of left and right. @default false */
  readonly vertical?: boolean
}

/**
 * Cuts a part of this size out at a random place, as torchvision's `RandomCrop`; fails with code `'shape'` on smaller images.
 *
 * @example
 * const image = { width: 4, height: 4, channels: 1, data: new Uint8Array(16) }
 * mapped(fromArray([image]), randomCrop(2)).get(0).data.length // 4
 */
export function randomCrop(size: ImageSize, options: CropOptions = {}): Stage<Image, Image> {
  checkOptions('randomCrop', options, ['padding', 'fill'])
  const [height, width] = sizesOf('randomCrop', size)
  const { padding = 0, fill = 0 } = options
  return described('randomCrop', [height, width, padding, fill], (image: Image, { random }) => {
    const [spareHeight, spareWidth] = spare('randomCrop', image, [height - 2 * padding, width - 2 * padding])
    const top = random.below(spareHeight + 1) - padding
    const left = random.below(spareWidth + 1) - padding
    return part(image, { top, left, height, width, fill })
  })
}

/**
 * Cuts the middle out, as torchvision's `CenterCrop`; fails with code `'shape'` on smaller images.
 *
 * @example
 * const image = { width: 3, height: 1, channels: 1, data: Uint8Array.of(1, 2, 3) }
 * mapped(fromArray([image]), centerCrop(1)).get(0).data // [2]
 */
export function centerCrop(size: ImageSize): Stage<Image, Image> {
  const [height, width] = sizesOf('centerCrop', size)
  return described('centerCrop', [height, width], (image: Image) => {
    const [spareHeight, spareWidth] = spare('centerCrop', image, [height, width])
    return part(image, { top: halfEven(spareHeight / 2), left: halfEven(spareWidth / 2), height, width, fill: 0 })
  })
}

/**
 * Turns images at random, left to right or top to bottom.
 *
 * @example
 * const image = { width: 3, height: 1, channels: 1, data: Uint8Array.of(1, 2, 3) }
 * mapped(fromArray([image]), randomFlip({ p: 1 })).get(0).data // [3, 2, 1]
 */
export function randomFlip(options: FlipOptions = {}): Stage<Image, Image> {
  checkOptions('randomFlip', options, ['p', 'vertical'])
  const { p = 0.5, vertical = false } = options
  return described('randomFlip', [p, vertical], (image: Image, { random }) => (random.chance(p) ? flipped(image, vertical) : image))
}

/**
 * An image as a float32 tensor `[channels, height, width]` in 0..1, as torchvision's `ToTensor`.
 *
 * @example
 * const image = { width: 1, height: 1, channels: 3, data: Uint8Array.of(0, 51, 255) }
 * mapped(fromArray([image]), toTensor()).get(0) // [[[0]], [[0.2]], [[1]]]
 */
export function toTensor(): Stage<Image, Tensor> {
  return ({ width, height, channels, data }) => {
    const size = width * height
    const floats = new Float32Array(size * channels)
    for (let i = 0; i < size; i++) {
      for (let channel = 0; channel < channels; channel++) floats[channel * size + i] = (data[i * channels + channel] ?? 0) / 255
    }
    return tensor(floats, { shape: [channels, height, width] })
  }
}

/**
 * Subtracts a mean from each channel and divides by a deviation.
 *
 * @example
 * mapped(fromArray([full([1, 1, 2], 3)]), normalize([1], [2])).get(0) // [[[1, 1]]]
 */
export function normalize(mean: readonly number[], std: readonly number[]): Stage<Tensor, Tensor> {
  if (mean.length !== std.length || std.includes(0))
    throw new FirnError(
      'argument',
      `normalize: ${mean.length} means and deviations ${std.join(', ')}; expected as many of each, none of them 0`,
    )
  return described('normalize', [mean, std], (image: Tensor) => {
    if (image.shape[0] !== mean.length)
      throw new FirnError(
        'shape',
        `normalize: ${mean.length} means for an image of shape [${image.shape.join(', ')}], expected one for each channel`,
      )
    return image.sub(tensor(mean, { shape: [mean.length, 1, 1] })).div(tensor(std, { shape: [std.length, 1, 1] }))
  })
}

/** Scales a tensor `[channels, height, width]`, linearly and with each pixel it covers. @example mapped(fromArray([ones([3, 2, 2])]), resize(1)).get(0).shape // [3, 1, 1] */
export function resize(size: ImageSize): Stage<Tensor, Tensor> {
  const [height, width] = sizesOf('resize', size)
  return described('resize', [height, width], (image: Tensor) =>
    F.interpolate(image.unsqueeze(0), { size: [height, width], mode: 'bilinear', antialias: true }).squeeze(0),
  )
}

function sizesOf(what: string, size: ImageSize): readonly [height: number, width: number] {
  const [height, width] = typeof size === 'number' ? [size, size] : size
  if ([height, width].every((n) => Number.isSafeInteger(n) && n > 0)) return [height, width]
  throw new FirnError('argument', `${what}: size ${String(size)}, expected whole numbers from 1`)
}

function spare(what: string, { height, width }: Image, [high, wide]: readonly [number, number]): readonly [number, number] {
  if (height >= high && width >= wide) return [height - high, width - wide]
  throw new FirnError('shape', `${what}: an image of ${height} x ${width} has no part of ${high} x ${wide}; resize it before`)
}

interface Part {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
  /** What is outside of the image. */
  readonly fill: number
}

function part(image: Image, { top, left, height, width, fill }: Part): Image {
  const { channels, data } = image
  const pixels = new Uint8Array(width * height * channels).fill(fill)
  const [from, to] = [Math.max(0, left), Math.min(image.width, left + width)]
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++) {
    const row = (top + y) * image.width
    pixels.set(data.subarray((row + from) * channels, (row + to) * channels), (y * width + from - left) * channels)
  }
  return { width, height, channels, data: pixels }
}

function flipped(image: Image, vertical: boolean): Image {
  const { width, height, channels, data } = image
  const pixels = new Uint8Array(data.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (vertical ? (height - 1 - y) * width + x : y * width + width - 1 - x) * channels
      pixels.set(data.subarray(from, from + channels), (y * width + x) * channels)
    }
  }
  return { ...image, data: pixels }
}

// Python rounds halves to even numbers, and torchvision with it.
function halfEven(value: number): number {
  const down = Math.floor(value)
  return value - down === 0.5 ? down + (down % 2) : Math.round(value)
}
