// The way through the data: pass after pass, batch after batch.

/** A batch: its position in a pass over the data. */
export interface Place {
  readonly epoch: number
  readonly position: number
}

/** Where somebody is on the way, and how it goes on. */
export class Course {
  /** Batches in one pass. */
  readonly passLength: number
  /** Whether an epoch begins where the last one ended, and not with a new pass. */
  readonly goesOn: boolean
  #place: Place = { epoch: 0, position: 0 }

  constructor(passLength: number, goesOn: boolean) {
    this.passLength = passLength
    this.goesOn = goesOn
  }

  /** Behind the last batch that was taken. */
  get place(): Place {
    return this.#place
  }

  set place({ epoch, position }: Place) {
    this.#place = { epoch, position }
  }

  /** The batch that comes next. */
  get next(): Place {
    return this.settled(this.#place)
  }

  /** The batch after another. */
  after({ epoch, position }: Place): Place {
    return this.settled({ epoch, position: position + 1 })
  }

  /** The end of a pass is the beginning of the next. */
  settled(place: Place): Place {
    return place.position < this.passLength ? place : { epoch: place.epoch + 1, position: 0 }
  }

  /** Takes the next batch. @returns which one that was */
  take(): Place {
    const { next } = this
    this.#place = { epoch: next.epoch, position: next.position + 1 }
    return next
  }

  /** Goes on to the next pass, unless the one at hand is untouched. */
  beginEpoch(): void {
    if (!this.goesOn && this.#place.position > 0) this.#place = { epoch: this.#place.epoch + 1, position: 0 }
  }
}

/** Whether two places are one. */
export const samePlace = (a: Place, b: Place): boolean => a.epoch === b.epoch && a.position === b.position
