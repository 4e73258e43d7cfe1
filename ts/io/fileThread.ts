// The thread that writes large files while this one goes on, as this one sees it.
import { Worker } from 'node:worker_threads'
import { FirnError } from '../errors.ts'
import { threadProgram } from './thread.ts'

/** A file in two parts, which go over to the other thread. */
export interface FileParts {
  readonly header: Uint8Array<ArrayBuffer>
  /** Where in the header the `checksum` of the whole file is to stand; it is taken with what is there before. */
  readonly checksumAt: number
  /** Holds what follows the header; it comes back when that is written. */
  readonly memory: ArrayBuffer
  /** How much of the memory that is. */
  readonly byteLength: number
  /** The time that the file is to have. */
  readonly modified: Date
}

/** What the thread is asked to write. */
export interface FileOrder extends FileParts {
  readonly id: number
  readonly path: string
}

/** Its answer: the memory, or what went wrong. */
export type FileReply =
  | { readonly id: number; readonly memory: ArrayBuffer }
  | { readonly id: number; readonly message: string; readonly cause: unknown }

interface Waiting {
  readonly path: string
  readonly done: (memory: ArrayBuffer) => void
  readonly failed: (error: FirnError) => void
}

/** One for the process; it is there from the first file on, and keeps the process alive only while it writes. */
let thread: Worker | undefined
const waiting = new Map<number, Waiting>()
let orders = 0

/**
 * Replaces a file as `atomicWrite` does, in another thread. Fails with code `'io'`, naming the file.
 *
 * @returns the memory of the parts, for the next file, once this one is on the disk
 */
export function writeInThread(path: string, parts: FileParts): Promise<ArrayBuffer> {
  return new Promise((done, failed) => {
    const id = orders++
    thread ??= start()
    waiting.set(id, { path, done, failed })
    thread.ref()
    thread.postMessage({ ...parts, id, path } satisfies FileOrder, [parts.header.buffer, parts.memory])
  })
}

function start(): Worker {
  const { url, flags } = threadProgram(import.meta.url, './fileThreadEntry')
  const worker = new Worker(new URL(url), { name: 'files', ...flags })
  worker.on('message', (reply: FileReply) => settle(worker, reply))
  worker.on('error', (error) => die(worker, error))
  worker.on('exit', (code) => die(worker, new Error(`exit code ${code}`)))
  return worker
}

function settle(worker: Worker, reply: FileReply): void {
  const order = waiting.get(reply.id)
  waiting.delete(reply.id)
  if (waiting.size === 0) worker.unref()
  if ('memory' in reply) order?.done(reply.memory)
  else order?.failed(new FirnError('io', reply.message, { cause: reply.cause }))
}

// The next file gets another thread.
function die(worker: Worker, cause: Error): void {
  if (thread !== worker) return
  thread = undefined
  for (const { path, failed } of waiting.values())
    failed(new FirnError('io', `cannot write '${path}': the thread that writes ended (${cause.message})`, { cause }))
  waiting.clear()
}
