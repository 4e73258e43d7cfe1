// Writes a file so that a reader finds the old bytes or the new ones, never a torn file.
import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FirnError } from '../errors.ts'

/**
 * Replaces the file at `path` by `bytes` in one step: a temporary file in the same folder is written and synced,
 * then renamed, then the folder is synced. The folder has to exist. Fails with code `'io'`; the old file then stays as it was.
 *
 * @param modified the time that the file is to have; now unless given
 * @example
 * await atomicWrite('best.json', new TextEncoder().encode('{"loss":0.1}'))
 */
export async function atomicWrite(path: string, bytes: Uint8Array, modified?: Date): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    await writeSynced(temporary, bytes, modified)
    await rename(temporary, path)
    await syncFolder(folder)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw ioError(`cannot write '${path}'`, cause)
  }
}

/** Whether a file of this name is what `atomicWrite` leaves behind when the process dies within it. */
export const isUnfinished = (name: string): boolean => name.startsWith('.') && name.endsWith('.tmp')

/** Wraps what went wrong with a file as a FirnError that names the file. */
export function ioError(what: string, cause: unknown): FirnError {
  return new FirnError('io', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}

async function writeSynced(path: string, bytes: Uint8Array, modified?: Date): Promise<void> {
  await using file = await open(path, 'wx')
  await file.writeFile(bytes)
  if (modified !== undefined) await file.utimes(modified, modified)
  await file.sync()
}

// Windows cannot open a folder; there the rename alone has to do.
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await using folder = await open(path, 'r')
  await folder.sync()
}
