// Images as loggers take them: bytes, pixel by pixel.
import { FirnError } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import type { Pixels } from './eventKinds.ts'

/** The pixels of `[channels, height, width]` or `[height, width]`, still on the device. Fails with code `'shape'` or `'dtype'`. */
export function pixelsOf(name: string, image: Tensor<DType>): Omit<Pixels, 'data'> & { readonly data: Tensor<'uint8'> } {
  const [channels, height, width] = image.rank === 2 ? [1, ...image.shape] : image.shape
  if (image.rank > 3 || channels === undefined || height === undefined || width === undefined || channels > 4 || image.size === 0) {
    throw new FirnError(
      'shape',
      `board.image: '${name}' has shape [${image.shape.join(', ')}], expected [channels, height, width] with 1 to 4 channels, or [height, width]`,
    )
  }
  const bytes = bytesOf(name, image)
  return { width, height, channels, data: image.rank === 2 ? bytes.flatten() : bytes.permute([1, 2, 0]).flatten() }
}

// NaN is black.
function bytesOf(name: string, image: Tensor<DType>): Tensor<'uint8'> {
  if (image.dtype === 'uint8') return image.to('uint8')
  if (['float16', 'bfloat16', 'float32', 'float64'].includes(image.dtype)) {
    return image.float().nanToNum().clamp({ min: 0, max: 1 }).mul(255).round().to('uint8')
  }
  throw new FirnError('dtype', `board.image: '${name}' is ${image.dtype}, expected uint8, or floating point numbers in 0..1`)
}
