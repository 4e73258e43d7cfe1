// Starts a thread that runs a file of ours.
import { Worker, type WorkerOptions } from 'node:worker_threads'

/** A thread that runs the file beside `caller` of this name, without its extension: a source where the caller is one, else what became of it. */
export function startThread(caller: string, file: string, options: WorkerOptions): Worker {
  return new Worker(new URL(`${file}${caller.endsWith('.ts') ? '.ts' : '.js'}`, caller), { ...options, ...inherited() })
}

// A program given on the command line has a flag that a thread, whose program is a file, may not inherit.
function inherited(): { readonly execArgv?: string[] } {
  const { execArgv } = process
  return execArgv.some((arg) => arg.startsWith('--input-type'))
    ? { execArgv: execArgv.filter((arg) => arg.startsWith('--conditions')) }
    : {}
}
