// Values that wait on the device until they are read, many at once, so that reporting one never waits for the device.
import type { DType, Tensor } from '../tensor/index.ts'
import { type Held, hold, join } from './held.ts'

/** The elements of a tensor, as they were when it was added. */
export type Numbers = ArrayLike<number | bigint>

interface Waiting {
  readonly held: Held | null
  readonly deliver: (numbers: Numbers) => void
}

// So long, or so many, values may wait while a task runs.
const patienceMs = 250
const patience = 256

/** Values in the order in which they were reported. */
export class LateValues {
  #waiting: Waiting[] = []
  #oldest = 0
  #delivered = Promise.resolve()
  #reading = 0
  readonly #fail: (error: unknown) => void

  /** @param fail is told what a `deliver` throws; the others still get their numbers */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail
  }

  /** Holds the tensor, so that the caller's may go, and calls `deliver` with its elements when they are read. */
  add(tensor: Tensor<DType> | null, deliver: (numbers: Numbers) => void): void {
    if (this.#waiting.length === 0) this.#oldest = performance.now()
    this.#waiting.push({ held: tensor && hold(tensor), deliver })
  }

  /** Whether nothing waits and nothing is on its way. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#reading === 0
  }

  /** Whether values have waited long enough to be worth a read. */
  get isDue(): boolean {
    return this.#waiting.length >= patience || (this.#waiting.length > 0 && performance.now() - this.#oldest > patienceMs)
  }

  /** Begins to read what waits; resolves when it, and all before it, is delivered. */
  flush(): Promise<void> {
    if (this.#waiting.length === 0) return this.#delivered
    const waiting = this.#waiting
    this.#waiting = []
    const groups = read(waiting)
    this.#reading += 1
    this.#delivered = this.#delivered.then(() => groups).then((numbers) => this.#deliver(waiting, new Map(numbers)))
    return this.#delivered
  }

  #deliver(waiting: readonly Waiting[], numbers: ReadonlyMap<Waiting, Numbers>): void {
    this.#reading -= 1
    for (const each of waiting) {
      try {
        each.deliver(numbers.get(each) ?? [])
      } catch (error) {
        this.#fail(error)
      }
    }
  }
}

// One read for each dtype.
async function read(waiting: readonly Waiting[]): Promise<[Waiting, Numbers][]> {
  const groups = new Map<DType, [Waiting, Held][]>()
  for (const each of waiting) {
    if (each.held === null) continue
    const group = groups.get(each.held.dtype) ?? []
    groups.set(each.held.dtype, group)
    group.push([each, each.held])
  }
  return (await Promise.all([...groups.values()].map(readGroup))).flat()
}

async function readGroup(group: readonly [Waiting, Held][]): Promise<[Waiting, Numbers][]> {
  const joined = join(group.map(([, held]) => held))
  const numbers = await joined.data()
  joined.dispose()
  let at = 0
  return group.map(([each, { size }]) => [each, numbers.subarray(at, (at += size))])
}
