// The checksum of files of ours.
import { crc32 } from 'node:zlib'

// zlib counts in 32 bits.
const most = 2 ** 30

/** The CRC-32 of bytes that follow one another, as eight hexadecimal digits. */
export function checksum(...parts: readonly Uint8Array[]): string {
  let sum = 0
  for (const part of parts) for (let at = 0; at < part.length; at += most) sum = crc32(part.subarray(at, at + most), sum)
  return sum.toString(16).padStart(8, '0')
}
