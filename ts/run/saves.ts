// The checkpoints of a graph and its run: one after another, each written while the run goes on.
import { dirname, join, resolve } from 'node:path'
import { FirnError } from '../errors.ts'
import { type EventHub, freshCounters, newest, type NodeSet, type RunContext, type SaveOrder } from '../graph/index.ts'
import { removeFiles, removeUnfinished, type StateTree } from '../io/index.ts'
import { nodeStates } from './checkpoint.ts'
import { writeCheckpoint } from './checkpointFile.ts'
import { heard } from './heard.ts'
import { checkSaveOptions, type SaveOptions } from './task.ts'

/** What is saved beside the nodes. */
export interface SavedRun {
  readonly context: RunContext
  stateDict(): StateTree
}

/** A save that what comes after cannot reach any more. */
interface Saving {
  /** The path, once the file is on the disk and those who listen were told. */
  readonly saved: Promise<string>
}

/** Saves the nodes of a graph and a run of theirs, or the nodes alone. */
export class Saves {
  readonly #nodes: NodeSet
  readonly #events: EventHub
  readonly #run: SavedRun | null
  /** Whether the run may save again. */
  #inRun: boolean
  readonly #begun = new Set<Promise<void>>()
  /** Settled when the file before is written. */
  #last: Promise<unknown> = Promise.resolve()
  /** Where the tensors of the save before were copied to: within a run, the next goes there, too. */
  #memory: ArrayBuffer | null = null
  /** Files saved with `keep`, oldest first. */
  #series: readonly string[] = []
  readonly #tidied = new Set<string>()

  constructor(nodes: NodeSet, events: EventHub, run: SavedRun | null) {
    this.#nodes = nodes
    this.#events = events
    this.#run = run
    this.#inRun = run !== null
  }

  /** Saves what is there at the time of the call. A run fails when a save of its does that nobody waits for. @returns the path, once the file is on the disk */
  save(options: SaveOptions): Promise<string> {
    const saved = this.#saved(options)
    if (!this.#inRun) return saved
    const { promise, over } = heard(saved, (error) => this.#events.fail(error))
    this.#note(over)
    return promise
  }

  /** Saves what is there at the time of the call, while the run goes on once it is copied, which it is when the file before is written. */
  async saveAside(order: SaveOrder): Promise<void> {
    const saving = this.#take(order)
    this.#note(saving.then(({ saved }) => saved.then(nothing, (error: unknown) => this.#events.fail(error))))
    await saving
  }

  /** Waits until all that the run has begun to save is on the disk, or has failed. */
  async idle(): Promise<void> {
    while (this.#begun.size > 0) await Promise.all(this.#begun)
  }

  /** The run is over: waits like `idle`, and keeps no memory from then on. */
  async end(): Promise<void> {
    await this.idle()
    this.#inRun = false
    this.#memory = null
  }

  async #saved(options: SaveOptions): Promise<string> {
    const { saved } = await this.#take(checkSaveOptions('graph.saveCheckpoint', options))
    const path = await saved
    // In a run, that waits for them.
    if (!this.#inRun) await this.#events.settle()
    return path
  }

  #note(work: Promise<void>): void {
    const over = work.then(nothing, nothing)
    this.#begun.add(over)
    void over.then(() => this.#begun.delete(over))
  }

  async #take(order: SaveOrder): Promise<Saving> {
    const began = performance.now()
    const path = pathOf(this.#run?.context, order)
    const state = this.#gather(order)
    const before = this.#last
    const writing = state.then(async (each) => {
      await before
      return writeCheckpoint(path, each, this.#memory)
    })
    const written = writing.then(async ({ done }) => {
      this.#memory = null
      const memory = await done
      if (this.#inRun) this.#memory = memory
      await this.#tidyUp(path, order)
    })
    this.#last = Promise.allSettled([before, written])
    const { bytes } = await writing
    const saved = written.then(() => {
      this.#events.emit('checkpointSaved', () => ({ path, bytes, seconds: (performance.now() - began) / 1000 }))
      return path
    })
    return { saved }
  }

  async #gather({ tags = '*' }: SaveOrder): Promise<StateTree> {
    const run = this.#run?.stateDict() ?? null
    const nodes = await nodeStates(this.#nodes.byUid(tags))
    // Logs hold what the file is the state after. Listeners are not waited for: one of them may wait for this.
    await this.#events.late.flush()
    return { nodes, run }
  }

  // What is old goes when what is new is there.
  async #tidyUp(path: string, { keep, replacing = [] }: SaveOrder): Promise<void> {
    const folder = dirname(path)
    const old = replacing.map((name) => join(folder, name))
    if (keep !== undefined) {
      const { kept, gone } = newest(this.#series, path, keep)
      this.#series = kept
      old.push(...gone)
    }
    await removeFiles(old)
    if (!this.#tidied.has(folder)) await removeUnfinished(folder)
    this.#tidied.add(folder)
  }
}

const nothing = (): void => {}

function pathOf(context: RunContext | undefined, { to }: SaveOrder): string {
  const { trainEpochs, trainIterations } = context?.counters ?? freshCounters()
  const outDir = context?.info.outDir ?? null
  if (outDir === null && to === undefined)
    throw new FirnError('argument', 'graph.saveCheckpoint: no run has made a folder yet; give a path as { to }')
  return resolve(outDir === null ? '.' : join(outDir, 'ckpts'), to ?? `E${trainEpochs}S${trainIterations}.safetensors`)
}
