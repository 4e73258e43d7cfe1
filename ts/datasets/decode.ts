// PNG and JPEG files as images of a fixed number of channels.
import { inflateSync } from 'node:zlib'
import type { Image } from '../data/index.ts'
import { FirnError } from '../errors.ts'

/** Reads the bytes of a file; `where` names it in errors. */
export type Decode = (where: string, bytes: Uint8Array) => Image

/** What images are decoded to. */
export interface DecodeOptions {
  /** Channels of every image. */
  readonly channels: 1 | 3 | 4
  /** Larger images are refused. */
  readonly maxPixels: number
}

/** Loads the decoders. Damaged files and images that are too large fail with code `'io'`. */
export async function decoder({ channels, maxPixels }: DecodeOptions): Promise<Decode> {
  const [png, { default: jpeg }] = await Promise.all([import('fast-png'), import('jpeg-js')])
  const decodePng = (bytes: Uint8Array): Image => {
    checkPng(bytes, maxPixels)
    const found = png.decode(bytes)
    const { width, height, depth } = found
    if (found.palette !== undefined) return { width, height, channels: found.palette[0]?.length ?? 3, data: png.convertIndexedToRgb(found) }
    return { width, height, channels: found.channels, data: eightBits(found.data, depth, width * found.channels, height) }
  }
  const decodeJpeg = (bytes: Uint8Array): Image => {
    const limits = { maxResolutionInMP: maxPixels / 1e6, maxMemoryUsageInMB: Math.ceil((64 * maxPixels) / 2 ** 20) + 64 }
    const { width, height, data } = jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false, ...limits })
    return { width, height, channels: 3, data }
  }
  return (where, bytes) => {
    const decode = bytes[0] === 0x89 ? decodePng : bytes[0] === 0xff ? decodeJpeg : undefined
    if (decode === undefined) throw new FirnError('io', `${where} is neither a PNG nor a JPEG file`)
    try {
      return withChannels(decode(bytes), channels)
    } catch (cause) {
      throw new FirnError('io', `${where} cannot be decoded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
  }
}

/** A file up to this size unpacks to no more than 1032 times as much, which any machine bears. */
const harmless = 2 ** 17
const samplesPerPixel: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

// Small files may unpack to much more than their header says, and the decoder would take it all.
function checkPng(file: Uint8Array, maxPixels: number): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 33) throw new Error('it is cut off')
  const [width, height] = [view.getUint32(16), view.getUint32(20)]
  if (width * height > maxPixels) throw new Error(`${width} x ${height} pixels, and maxPixels is ${maxPixels}`)
  if (file.length <= harmless) return
  const bits = (samplesPerPixel[file[25] ?? 0] ?? 4) * (file[24] ?? 8)
  // A byte for the filter of each row; interlaced images have less than twice as many rows.
  const expected = 2 * height + Math.ceil((width * bits) / 8) * height + 2 * width + 1024
  const parts: Uint8Array[] = []
  for (let at = 8; at + 12 <= file.length; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === 0x49444154) parts.push(file.subarray(at + 8, at + 8 + view.getUint32(at)))
  }
  inflateSync(Buffer.concat(parts), { maxOutputLength: expected })
}

/** Samples of any depth as bytes; those of less than 8 bits are packed row by row. */
function eightBits(data: ArrayLike<number>, depth: number, samplesPerRow: number, rows: number): Uint8Array {
  if (depth === 16) return Uint8Array.from({ length: data.length }, (_, i) => (data[i] ?? 0) >> 8)
  if (depth === 8) return Uint8Array.from(data)
  const bytesPerRow = Math.ceil((samplesPerRow * depth) / 8)
  const most = 2 ** depth - 1
  return Uint8Array.from({ length: samplesPerRow * rows }, (_, i) => {
    const bit = (i % samplesPerRow) * depth
    const byte = data[Math.floor(i / samplesPerRow) * bytesPerRow + (bit >> 3)] ?? 0
    return (((byte >> (8 - depth - (bit & 7))) & most) * 255) / most
  })
}

// Grey by the weights of ITU-R 601, as Pillow's convert('L') rounds them; opacity is dropped, or full.
function withChannels({ width, height, channels, data }: Image, wanted: number): Image {
  if (channels === wanted) return { width, height, channels, data }
  const pixels = new Uint8Array(width * height * wanted)
  for (let i = 0; i < width * height; i++) {
    const at = i * channels
    const red = data[at] ?? 0
    const [green, blue] = channels < 3 ? [red, red] : [data[at + 1] ?? 0, data[at + 2] ?? 0]
    const alpha = channels === 2 ? (data[at + 1] ?? 255) : channels === 4 ? (data[at + 3] ?? 255) : 255
    if (wanted === 1) pixels[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    else pixels.set(wanted === 3 ? [red, green, blue] : [red, green, blue, alpha], i * wanted)
  }
  return { width, height, channels: wanted, data: pixels }
}
