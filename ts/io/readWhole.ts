// Reads a file of any size.
import { open } from 'node:fs/promises'

// Node reads no more than 2 GiB at once, and refuses larger files in readFile.
const most = 2 ** 30

/** All bytes of a file. Fails as the file system does. */
export async function readWhole(path: string): Promise<Uint8Array> {
  await using file = await open(path)
  const { size } = await file.stat()
  const bytes = new Uint8Array(size)
  let at = 0
  for (let read = -1; at < size && read !== 0; at += read) ({ bytesRead: read } = await file.read(bytes, at, Math.min(most, size - at)))
  return bytes.subarray(0, at)
}
