// What the thread of a loader and its workers tell each other.
import type { FirnErrorCode } from '../../errors.ts'
import type { Origin } from '../origin.ts'
import type { Tree } from '../pack.ts'
import type { CacheOptions } from '../sampleCache.ts'

/** What a worker is to do with samples: make batches of them, filled up with a number if one is given, or hand them over one by one. */
export type Joining = 'batch' | 'samples' | { readonly padded: number }

/** What a worker is started with. */
export interface Setup {
  readonly origin: Origin
  readonly joining: Joining
  readonly cache: CacheOptions | undefined
  /** Batches that may be under way; each has a slot of memory of its own, used again in turn. */
  readonly slots: number
}

/** Asks a worker for a batch. */
export interface Order {
  readonly id: number
  readonly indices: readonly number[]
  readonly seed: number
  readonly epoch: number
}

/** A batch: its bytes are in the slot of its number. */
export interface Delivery {
  readonly id: number
  readonly tree: Tree
  readonly byteLength: number
  /** The memory of the slot, when it had to be made anew. */
  readonly memory?: SharedArrayBuffer
}

/** What went wrong. */
export interface Fault {
  readonly code: FirnErrorCode
  readonly message: string
  readonly cause: { readonly name: string; readonly message: string; readonly stack: string }
}

/** What went wrong with a batch. */
export interface Failure extends Fault {
  readonly id: number
}

/** No batch can be made any more. */
export interface Death extends Fault {
  readonly id: null
}

export type Reply = Delivery | Failure | Death
