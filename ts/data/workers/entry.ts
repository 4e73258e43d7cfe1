// A worker of a loader: makes the dataset, then one batch after another, each into the memory that the loader reads.
import { type MessagePort, workerData } from 'node:worker_threads'
import { FirnError } from '../../errors.ts'
import { tensorScope } from '../../tensor/index.ts'
import { type BatchMaker, type Collate, rawBatches } from '../batchMaker.ts'
import { remake } from '../origin.ts'
import { pack } from '../pack.ts'
import { padded } from '../padded.ts'
import type { Fault, Joining, Order, Reply, Setup } from './protocol.ts'

const { setup, port }: { readonly setup: Setup; readonly port: MessagePort } = workerData
const slots = new Map<number, SharedArrayBuffer>()

try {
  const { origin, joining, cache } = setup
  const make = rawBatches({ dataset: await remake(origin), stages: [], collate: collateFor(joining), cache })
  port.on('message', (order: Order) => port.postMessage(answer(make, order)))
} catch (error) {
  port.postMessage({ id: null, ...faultOf(error) } satisfies Reply)
  port.close()
}

function collateFor(joining: Joining): Collate | undefined {
  if (joining === 'batch') return undefined
  return joining === 'samples' ? (samples) => samples : padded({ value: joining.padded })
}

function answer(make: BatchMaker, { id, indices, seed, epoch }: Order): Reply {
  using _ = tensorScope()
  try {
    const { tree, byteLength, write } = pack(make(indices, { seed, epoch }))
    const slot = id % setup.slots
    const known = slots.get(slot)
    // Some room for larger batches, so that memory is made anew once or twice and not again and again.
    const memory = known !== undefined && known.byteLength >= byteLength ? known : new SharedArrayBuffer(Math.ceil(byteLength * 1.25))
    slots.set(slot, memory)
    write(new Uint8Array(memory, 0, byteLength))
    return memory === known ? { id, tree, byteLength } : { id, tree, byteLength, memory }
  } catch (error) {
    return { id, ...faultOf(error) }
  }
}

function faultOf(error: unknown): Fault {
  const code = error instanceof FirnError ? error.code : 'argument'
  const origin = error instanceof FirnError && error.cause instanceof Error ? error.cause : error
  const { name, message, stack = '' } = origin instanceof Error ? origin : new Error(String(origin))
  return { code, message: error instanceof Error ? error.message : message, cause: { name, message, stack } }
}
