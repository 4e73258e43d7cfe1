// The checkpoints that a run saves again and again, of which only the newest stay.
import { rm } from 'node:fs/promises'
import { newest } from '../graph/index.ts'

/** Files in the order in which they were written. It deletes nothing that it was not told of. */
export class CheckpointSeries {
  #paths: readonly string[] = []

  /** Takes in a file that is on the disk, and deletes the oldest until `count` are left. */
  async keep(path: string, count: number): Promise<void> {
    const { kept, gone } = newest(this.#paths, path, count)
    this.#paths = kept
    for (const old of gone) await rm(old, { force: true })
  }
}
