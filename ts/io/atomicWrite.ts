// Writes a file so that a reader finds the old bytes or the new ones, never a torn file; and clears away what a process that died left of one.
import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FirnError } from '../errors.ts'

/**
 * Replaces the file at `path` by `bytes` in one step: a temporary file in the same folder is written and synced,
 * then renamed, then the folder is synced. The folder has to exist. Fails with code `'io'`; the old file then stays as it was.
 *
 * @param bytes all of them, or parts that follow one another
 * @param modified the time that the file is to have; now unless given
 * @example
 * await atomicWrite('best.json', new TextEncoder().encode('{"loss":0.1}'))
 */
export async function atomicWrite(path: string, bytes: Uint8Array | readonly Uint8Array[], modified?: Date): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    await writeSynced(temporary, bytes instanceof Uint8Array ? [bytes] : bytes, modified)
    await rename(temporary, path)
    await syncFolder(folder)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw ioError(`cannot write '${path}'`, cause)
  }
}

/** Whether a file of this name is what `atomicWrite` leaves behind when the process dies within it. */
export const isUnfinished = (name: string): boolean => name.startsWith('.') && name.endsWith('.tmp')

/**
 * Removes what earlier processes left unfinished in a folder. What is younger than this process may be at work in another, and stays; so does,
 * with a warning, what cannot be removed.
 */
export async function removeUnfinished(folder: string): Promise<void> {
  const paths = (await readdir(folder)).filter(isUnfinished).map((name) => join(folder, name))
  const ages = await Promise.all(paths.map((path) => stat(path).then(({ mtimeMs }) => mtimeMs, gone)))
  const old = paths.filter((_, i) => (ages[i] ?? Infinity) < performance.timeOrigin)
  await removeFiles(old).catch((error: unknown) => console.warn(error instanceof Error ? error.message : error))
}

/** Removes files; one that is not there is no mistake. Fails with code `'io'`, naming the file that stays. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await rm(path, { force: true }).catch((cause: unknown) => {
      throw ioError(`cannot remove '${path}'`, cause)
    })
  }
}

/** Wraps what went wrong with a file as a FirnError that names the file. */
export function ioError(what: string, cause: unknown): FirnError {
  return new FirnError('io', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}

// Somebody else cleared it away first.
const gone = (): undefined => undefined

async function writeSynced(path: string, parts: readonly Uint8Array[], modified?: Date): Promise<void> {
  await using file = await open(path, 'wx')
  for (const part of parts) await file.writeFile(part)
  if (modified !== undefined) await file.utimes(modified, modified)
  await file.sync()
}

// Windows cannot open a folder; there the rename alone has to do.
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await using folder = await open(path, 'r')
  await folder.sync()
}
