// What is alive, how much it weighs, and in debug mode which line made it.
import { fileURLToPath } from 'node:url'
import { native } from '../backend/index.ts'
import { bytesOf, dtypeOf } from './dtype.ts'

/** Tensors of one line of a program that are alive. */
export interface MemorySite {
  /** The line, as in stack traces. */
  readonly site: string
  readonly tensors: number
  readonly bytes: number
}

/** Whether new tensors note the line that made them. */
export let tracing = (process.env['FIRN_DEBUG_MEMORY'] ?? '') !== ''

/** The line that made each handle; handles are not used again for so long that one names one tensor. */
const made = new Map<number, string>()

/** Frames of files under here are firn's own. */
const own = fileURLToPath(new URL('..', import.meta.url))

/** Notes the line of the program that made a handle. */
export function trace(handle: number): void {
  made.set(handle, callSite())
  // What was freed since is forgotten now and then, so that the list stays in proportion to what lives.
  if (made.size > 2 * (native.memory()[0] ?? 0) + 4096) forget()
}

function forget(): void {
  for (const handle of made.keys()) if (!native.isLive(handle)) made.delete(handle)
}

function callSite(): string {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 50
  const { stack = '' } = new Error('where')
  Error.stackTraceLimit = stackTraceLimit
  const frames = stack.split('\n').slice(1)
  const users = frames.find((frame) => !frame.includes(own) && !frame.includes('node:'))
  return (users ?? frames.at(-1) ?? 'unknown')
    .trim()
    .replace(/^at /, '')
    .replace(/:\d+(\)?)$/, '$1')
}

/** Shape times size of an element. */
function weight(handle: number): number {
  const [dtype = 0, ...shape] = native.describe(handle)
  return shape.reduce((product, size) => product * size, bytesOf(dtypeOf(dtype)))
}

function sites(): MemorySite[] {
  forget()
  const totals = new Map<string, { tensors: number; bytes: number }>()
  for (const [handle, site] of made) {
    const { tensors, bytes } = totals.get(site) ?? { tensors: 0, bytes: 0 }
    totals.set(site, { tensors: tensors + 1, bytes: bytes + weight(handle) })
  }
  return Array.from(totals, ([site, total]) => ({ site, ...total })).toSorted((a, b) => b.bytes - a.bytes || b.tensors - a.tensors)
}

/** What is alive on this thread, and what can be asked about it. */
export interface Memory {
  (): { handles: number; tensors: number; bytes: number }
  /** The most bytes alive at once, since the start or since `resetPeak`. */
  peak(): number
  /** Lets the peak begin again at what is alive now. */
  resetPeak(): void
  /** Notes from now on which line makes each tensor, or stops it and forgets them. `FIRN_DEBUG_MEMORY=1` does so from the start. */
  trace(on: boolean): void
  /** The lines that made the tensors which are alive, the heaviest first; of those made while tracing. */
  sites(): MemorySite[]
}

/**
 * Tensors alive on this thread and their bytes: those with handles, and those the tape and the optimizers hold.
 * @example
 * const before = memory().tensors
 * const x = zeros([2])
 * memory().tensors - before // 1
 * memory.peak() >= memory().bytes // true
 */
export const memory: Memory = Object.assign(
  () => {
    const [handles = 0, tensors = 0, bytes = 0] = native.memory()
    return { handles, tensors, bytes }
  },
  {
    peak: () => native.memory()[3] ?? 0,
    resetPeak: () => native.resetPeak(),
    trace: (on: boolean) => {
      tracing = on
      if (!on) made.clear()
    },
    sites,
  },
)
