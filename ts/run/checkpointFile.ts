// A checkpoint as bytes: safetensors with the rest of the state as JSON, and a checksum over all of it.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FirnError } from '../errors.ts'
import {
  checksum,
  decodeSafetensors,
  type FileParts,
  isUnfinished,
  joinState,
  layoutSafetensors,
  readWhole,
  splitState,
  type StateTree,
  writeInThread,
} from '../io/index.ts'
import { tensorsIn } from '../data/index.ts'

// The format, as the file says it; a change that older code cannot read has the next number.
const family = 'firn-checkpoint-'
const version = 1
const extension = '.safetensors'
const names = new Intl.Collator('en', { numeric: true })

// The checksum is taken with zeros in its place, then written over them.
const noChecksum = '00000000'
const checksumKey = '"crc32":"'

/** A checkpoint on its way to the disk. */
export interface Writing {
  /** The size of the file. */
  readonly bytes: number
  /** Resolved when the file is on the disk, with the memory that its tensors were copied to, for the next one. */
  readonly done: Promise<ArrayBuffer>
}

/**
 * Copies the tensors of a state and frees them; then another thread writes the file, atomically. What follows the call is not in the file.
 *
 * @param memory where to copy to, if it is large enough: memory that was used before is ten times as quick as that of the first use
 */
export function writeCheckpoint(path: string, state: StateTree, memory?: ArrayBuffer | null): Writing {
  // Clocks of file systems tick slowly, and the newest of a folder is the one to go on from.
  written = Math.max(Date.now(), written + 1)
  const parts = encodeState(state, memory)
  const bytes = parts.header.length + parts.byteLength
  const done = writeInThread(path, { ...parts, modified: new Date(written) })
  const leave = (): void => void underWay.delete(done)
  underWay.add(done)
  done.then(leave, leave)
  return { bytes, done }
}

// When the last checkpoint of this process was written, in milliseconds since 1970.
let written = 0
// What this process is writing.
const underWay = new Set<Promise<unknown>>()

/**
 * The state in a file, or in the newest readable one of a folder; its tensors are the caller's. Fails with code `'io'` when there is none
 * that is whole. What this process still writes is waited for. `firn inspect` prints what is in it.
 *
 * @example
 * const path = await graph.saveCheckpoint({ to: 'now.safetensors' })
 * const { state } = await readCheckpoint(path)
 */
export async function readCheckpoint(path: string): Promise<{ readonly path: string; readonly state: StateTree }> {
  await Promise.allSettled(underWay)
  const paths = await candidates(path)
  const failures: string[] = []
  for (const candidate of paths) {
    try {
      return { path: candidate, state: decodeState(await readWhole(candidate)) }
    } catch (error) {
      failures.push(`${candidate}: ${error instanceof Error ? error.message : String(error)}`)
      if (paths.length > 1) console.warn(`checkpoint refused, trying the one before: ${failures.at(-1)}`)
    }
  }
  throw new FirnError('io', `no checkpoint in '${path}'${failures.map((line) => `\n  ${line}`).join('')}`)
}

function encodeState(state: StateTree, memory?: ArrayBuffer | null): Omit<FileParts, 'modified'> {
  try {
    const { tensors, json } = splitState(state)
    const { header, byteLength, write } = layoutSafetensors(tensors, {
      format: `${family}${version}`,
      crc32: noChecksum,
      state: JSON.stringify(json),
    })
    const room = memory && memory.byteLength >= byteLength ? memory : new ArrayBuffer(byteLength)
    write(new Uint8Array(room, 0, byteLength))
    return { header, checksumAt: checksumPlace(header), memory: room, byteLength }
  } finally {
    for (const tensor of tensorsIn(state)) tensor.dispose()
  }
}

function decodeState(bytes: Uint8Array): StateTree {
  const place = checksumPlace(bytes)
  const digits = bytes.subarray(place, place + noChecksum.length)
  const written = new TextDecoder('latin1').decode(digits)
  digits.set(new TextEncoder().encode(noChecksum))
  const found = checksum(bytes)
  if (found !== written) throw new FirnError('io', `the checksum is ${found}, the file says ${written}; it is damaged`)
  const { tensors, metadata } = decodeSafetensors(bytes)
  try {
    checkFormat(metadata['format'])
    return joinState(JSON.parse(metadata['state'] ?? 'null'), tensors)
  } catch (error) {
    for (const tensor of Object.values(tensors)) tensor.dispose()
    throw error
  }
}

function checkFormat(format: string | undefined): void {
  const number = format?.startsWith(family) === true ? Number(format.slice(family.length)) : NaN
  if (number === version) return
  if (number > version)
    throw new FirnError('io', `it has format ${number} of checkpoints, this firn reads up to ${version}; use a newer firn`)
  throw new FirnError('io', `this is not a checkpoint: its format is ${format === undefined ? 'not said' : `'${format}'`}`)
}

// Where the checksum stands: in the header, whose length the first eight bytes give.
function checksumPlace(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = buffer.length < 8 ? 0 : Math.min(buffer.length, 8 + Number(buffer.readBigUInt64LE(0)))
  const at = buffer.subarray(0, end).indexOf(checksumKey)
  if (at < 0) throw new FirnError('io', 'this is not a checkpoint, or it was cut off')
  return at + checksumKey.length
}

// Newest first; between files of one time, as copies may be, names decide: S12 is after S9.
async function candidates(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const folder = await stat(join(path, 'ckpts')).then(
      () => join(path, 'ckpts'),
      () => path,
    )
    const entries = await readdir(folder)
    for (const name of entries.filter(isUnfinished))
      console.warn(`checkpoint '${join(folder, name)}' was cut off while it was written; it is left out`)
    const paths = entries.filter((name) => name.endsWith(extension)).map((name) => join(folder, name))
    const dated = await Promise.all(paths.map(async (each) => ({ each, time: (await stat(each)).mtimeMs })))
    return dated.toSorted((a, b) => b.time - a.time || names.compare(b.each, a.each)).map(({ each }) => each)
  } catch (cause) {
    throw new FirnError('io', `cannot read the checkpoint '${path}'`, { cause })
  }
}
