// Counts calls of the core.
import { native } from '../../ts/backend/index.ts'

const readers = ['read', 'item', 'gradNorm']

/** Runs `work`, which is given the count of reads of numbers so far. @returns the count at its end */
export function countReads(work: (reads: () => number) => Promise<unknown>): Promise<number> {
  return count((name) => readers.includes(name), work)
}

/** Runs `work`. @returns how often it called the core */
export function countCalls(work: () => Promise<unknown>): Promise<number> {
  // Collectors free what nobody holds whenever they like.
  return count((name) => name !== 'freeOne', work)
}

async function count(isCounted: (name: string) => boolean, work: (calls: () => number) => Promise<unknown>): Promise<number> {
  const before = { ...native }
  let calls = 0
  for (const [name, fn] of Object.entries(before)) {
    if (typeof fn !== 'function' || !isCounted(name)) continue
    Reflect.set(native, name, (...args: unknown[]): unknown => {
      calls++
      return Reflect.apply(fn, native, args)
    })
  }
  try {
    await work(() => calls)
  } finally {
    Object.assign(native, before)
  }
  return calls
}
