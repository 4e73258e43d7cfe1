// One worker as its loader sees it: orders go out, deliveries come in, and its end is noticed.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { FirnError } from '../../errors.ts'
import { threadProgram } from '../../io/index.ts'
import { unpack } from '../pack.ts'
import type { Death, Order, Reply, Setup } from './protocol.ts'

/** A batch that was ordered. */
export interface Pending {
  /** Undefined until it is here. */
  reply: Reply | undefined
  /** Called when it is here. */
  settle: (() => void) | undefined
  /** Resolved when it is here. */
  waiting: Promise<void> | undefined
}

/** A thread that makes batches in the order in which they were ordered. */
export class BatchWorker {
  readonly name: string
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #slots: number
  readonly #memory = new Map<number, SharedArrayBuffer>()
  readonly #pending = new Map<number, Pending>()
  #next = 0
  #dead: Death | undefined

  constructor(name: string, setup: Setup) {
    const { port1, port2 } = new MessageChannel()
    this.name = name
    this.#slots = setup.slots
    this.#port = port1
    this.#worker = start(name, setup, port2)
    // Neither keeps the process alive, but while a batch is waited for.
    this.#worker.unref()
    this.#port.on('message', (reply: Reply) => this.#receive(reply)).unref()
    this.#worker.on('error', (error) => this.#die(error))
    this.#worker.on('exit', (code) => this.#die(new Error(`exit code ${code}`)))
  }

  /** Orders a batch. Its memory is that of the order `slots` before it, whose batch has to have been taken. */
  order(order: Omit<Order, 'id'>): Pending {
    const id = this.#next++
    const pending: Pending = { reply: this.#dead, settle: undefined, waiting: undefined }
    if (this.#dead === undefined) {
      this.#pending.set(id, pending)
      this.#port.postMessage({ id, ...order } satisfies Order)
    }
    return pending
  }

  /** Takes in what has arrived, without waiting. */
  poll(): void {
    for (let found = receiveMessageOnPort(this.#port); found !== undefined; found = receiveMessageOnPort(this.#port)) {
      const reply: Reply = found.message
      this.#receive(reply)
    }
  }

  /** Waits for a batch, and keeps the process alive meanwhile. */
  wait(pending: Pending): Promise<void> {
    return (pending.waiting ??= this.#wait(pending))
  }

  async #wait(pending: Pending): Promise<void> {
    this.#port.ref()
    this.#worker.ref()
    await new Promise<void>((resolve) => (pending.settle = resolve))
    this.#port.unref()
    this.#worker.unref()
  }

  /** The batch of a delivery. Fails as the worker failed. */
  open(reply: Reply): unknown {
    if ('tree' in reply) {
      const memory = this.#memory.get(reply.id % this.#slots) ?? new SharedArrayBuffer(0)
      return unpack(reply.tree, new Uint8Array(memory, 0, reply.byteLength))
    }
    const { code, message, cause } = reply
    throw new FirnError(code, `${this.name}: ${message}`, { cause: Object.assign(new Error(cause.message), cause) })
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#die(new Error('the loader was closed'))
    this.#port.close()
    await this.#worker.terminate()
  }

  #receive(reply: Reply): void {
    if ('tree' in reply && reply.memory !== undefined) this.#memory.set(reply.id % this.#slots, reply.memory)
    const { id } = reply
    if (id === null) return this.#fail(reply)
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (pending !== undefined) settle(pending, reply)
  }

  // Ended by itself, or by code that it ran: what was ordered will not come.
  #die(error: unknown): void {
    const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error))
    this.poll()
    this.#fail({
      id: null,
      code: 'io',
      message: `the worker ended before its batches were made (${message})`,
      cause: { name, message, stack },
    })
  }

  #fail(death: Death): void {
    this.#dead ??= death
    for (const pending of this.#pending.values()) settle(pending, death)
    this.#pending.clear()
  }
}

function settle(pending: Pending, reply: Reply): void {
  pending.reply = reply
  pending.settle?.()
}

function start(name: string, setup: Setup, port: MessagePort): Worker {
  try {
    const { url, flags } = threadProgram(import.meta.url, './entry')
    return new Worker(new URL(url), { name, workerData: { setup, port }, transferList: [port], ...flags })
  } catch (cause) {
    throw new FirnError(
      'argument',
      `${name}: what its dataset is made of cannot be sent to a worker: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}
