// What the thread that writes files runs: one order after another, each as `atomicWrite` does it, with a checksum in its header.
import { parentPort } from 'node:worker_threads'
import { atomicWrite } from './atomicWrite.ts'
import { checksum } from './checksum.ts'
import type { FileOrder, FileReply } from './fileThread.ts'

parentPort?.on('message', (order: FileOrder) => {
  void write(order).then((reply) => parentPort?.postMessage(reply, 'memory' in reply ? [reply.memory] : []))
})

async function write({ id, path, header, checksumAt, memory, byteLength, modified }: FileOrder): Promise<FileReply> {
  try {
    const data = new Uint8Array(memory, 0, byteLength)
    header.set(new TextEncoder().encode(checksum(header, data)), checksumAt)
    await atomicWrite(path, [header, data], modified)
    return { id, memory }
  } catch (error) {
    return { id, message: error instanceof Error ? error.message : String(error), cause: error instanceof Error ? error.cause : error }
  }
}
