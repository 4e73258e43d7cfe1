// The question at Ctrl-C.
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** A stream that may be a terminal. */
type Terminal<Stream> = Stream & { readonly isTTY?: boolean }

/** Where a question is put, and where its answer comes from. */
export interface Asking {
  readonly input: Terminal<Readable>
  readonly output: Terminal<Writable>
}

/** Whether to save a checkpoint: what somebody at a terminal says; yes where there is none. */
export function askToSave({ input, output }: Asking = { input: process.stdin, output: process.stderr }): Promise<boolean> {
  if (input.isTTY !== true || output.isTTY !== true) return Promise.resolve(true)
  return new Promise((resolve) => {
    // Not as a terminal: that would take Ctrl-C for itself, and the second one has to stop the process.
    const lines = createInterface({ input, output, terminal: false })
    lines.once('close', () => resolve(true))
    lines.question('save a checkpoint? [Y/n] ', (answer) => {
      resolve(!/^\s*n/i.test(answer))
      lines.close()
    })
  })
}
