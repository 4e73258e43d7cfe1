// From the options of a loader to what its workers are started with, and from what they deliver to its batches.
import type { Dataset } from '../dataset.ts'
import type { LoaderOptions } from '../options.ts'
import { originOf } from '../origin.ts'
import { fillerOf } from '../padded.ts'
import type { Joining, Setup } from './protocol.ts'

/** What workers are started with. Fails with code `'argument'` when they cannot make the dataset. */
export function setupOf<D extends Dataset, Out, Batch>(what: string, options: LoaderOptions<D, Out, Batch>): Setup {
  const { dataset, collate, cache, prefetch = 2 } = options
  return { origin: originOf(what, dataset), joining: joiningOf(collate), cache, slots: prefetch }
}

// A function does not cross: workers hand over samples, and it makes a batch of them here.
function joiningOf(collate: object | undefined): Joining {
  if (collate === undefined) return 'batch'
  const filler = fillerOf(collate)
  return filler === undefined ? 'samples' : { padded: filler }
}

/** Makes a batch of what a worker delivers. */
export function openBatch<D extends Dataset, Out, Batch>(options: LoaderOptions<D, Out, Batch>): (delivered: unknown) => Batch
export function openBatch({ collate }: LoaderOptions<Dataset, unknown, unknown>): (delivered: unknown) => unknown {
  if (collate === undefined || joiningOf(collate) !== 'samples') return (batch) => batch
  return (samples) => collate(Array.isArray(samples) ? samples : [])
}
