// PAUSE, SAVE and STOP: files in the folder of a run that ask for the same as the methods of its control.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { EventSource } from '../graph/index.ts'
import type { Control, ControlKind } from './control.ts'

/** Looks for the files, some microseconds a time. */
export class ControlFiles {
  readonly #control: Control
  readonly #folder: string
  readonly #asked = new Set<ControlKind>()
  readonly #off: () => void

  constructor(control: Control, folder: string, events: EventSource) {
    this.#control = control
    this.#folder = folder
    this.#off = events.on('resumed', ({ by }) => {
      if (by !== 'file') this.#remove('pause')
    })
  }

  /** SAVE and STOP go when that is done; the run is paused for as long as PAUSE is there. */
  look(): void {
    for (const kind of ['save', 'stop'] as const) {
      if (this.#asked.has(kind) || !existsSync(this.#path(kind))) continue
      this.#asked.add(kind)
      void this.#ask(kind).finally(() => this.#remove(kind))
    }
    if (existsSync(this.#path('pause')) === this.#asked.has('pause')) return
    if (this.#asked.delete('pause')) return void this.#ask('resume')
    this.#asked.add('pause')
    void this.#ask('pause')
  }

  /** The run has ended. */
  close(): void {
    this.#off()
    this.#remove('pause')
  }

  // Whoever made the file learns of a failure as everybody else does, from what the run says.
  #ask(kind: ControlKind): Promise<unknown> {
    return this.#control.ask(kind, 'file').catch(() => {})
  }

  #remove(kind: ControlKind): void {
    this.#asked.delete(kind)
    rmSync(this.#path(kind), { force: true })
  }

  #path(kind: ControlKind): string {
    return join(this.#folder, kind.toUpperCase())
  }
}
