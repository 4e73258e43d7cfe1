// A file that grows while a run goes on, and that never disturbs it.
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

// What is written reaches the system after so long at the latest, where it survives the end of the process.
const patienceMs = 1000

/**
 * Appends to a file, in the background and at intervals. What cannot be written is dropped, with one warning for the file; a piece that was
 * written in part is cut off before the next one, so that the file holds whole pieces, but for one at its end when the process is killed.
 */
export class LogFile {
  readonly path: string
  readonly #head: string | Uint8Array
  #pieces: Uint8Array[] = []
  #timer: NodeJS.Timeout | null = null
  #written: Promise<void> = Promise.resolve()
  #file: FileHandle | null = null
  /** Bytes of whole pieces. */
  #size = 0
  #torn = false
  #warned = false

  /** @param head what a new file begins with */
  constructor(path: string, head: string | Uint8Array = '') {
    this.path = path
    this.#head = head
  }

  /** Takes a piece that belongs together: a line, a record. */
  write(piece: string | Uint8Array): void {
    if (piece.length === 0) return
    this.#pieces.push(Buffer.from(piece))
    this.#timer ??= setTimeout(() => void this.flush(), patienceMs).unref()
  }

  /** Resolves when everything so far is with the system, or given up. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#pieces.length === 0) return this.#written
    const bytes = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#written = this.#written.then(() => this.#append(bytes))
    return this.#written
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    await this.flush()
    const file = this.#file
    this.#file = null
    await file?.close().catch((error: unknown) => this.#warn(error))
  }

  async #append(bytes: Uint8Array): Promise<void> {
    try {
      this.#file ??= await this.#open()
      if (this.#torn) await this.#file.truncate(this.#size)
      this.#torn = true
      const piece = this.#size === 0 ? Buffer.concat([Buffer.from(this.#head), bytes]) : bytes
      await this.#file.appendFile(piece)
      this.#torn = false
      this.#size += piece.length
    } catch (error) {
      this.#warn(error)
    }
  }

  async #open(): Promise<FileHandle> {
    await mkdir(dirname(this.path), { recursive: true })
    const file = await open(this.path, 'a')
    this.#size = (await file.stat()).size
    return file
  }

  #warn(error: unknown): void {
    if (this.#warned) return
    this.#warned = true
    const reason = error instanceof Error ? error.message : String(error)
    console.warn(`log '${this.path}': ${reason}; the run goes on, and what could not be written is missing there`)
  }
}
