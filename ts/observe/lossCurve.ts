// The losses of a run, thinned so that they fit into memory and into a terminal.
import type { EventSource } from '../graph/index.ts'
import { chart } from './chart.ts'

// Beyond so many points, neighbours become one.
const most = 1024

/** Collects the losses of training iterations; says them as curves. */
export class LossCurves {
  readonly #curves = new Map<string, Thinned>()

  constructor(events: EventSource) {
    events.on('scalar', ({ node, name, value, training }) => {
      if (!training || node !== name) return
      const curve = this.#curves.get(name) ?? new Thinned()
      this.#curves.set(name, curve)
      curve.add(value)
    })
  }

  /** A titled curve for each loss, logarithmic where all its values allow it. Values that are not finite are left out. */
  toString(): string {
    const drawn = [...this.#curves].filter(([, { points }]) => points.length > 1)
    return drawn
      .map(([name, { points, count }]) => `${name} over ${count} steps\n${chart(points, { log: points.every((value) => value > 0) })}`)
      .join('\n\n')
  }
}

/** Means of as many values each as keeps them few. */
class Thinned {
  points: number[] = []
  count = 0
  #stride = 1
  #sum = 0
  #pending = 0

  add(value: number): void {
    this.count += 1
    if (!Number.isFinite(value)) return
    this.#sum += value
    this.#pending += 1
    if (this.#pending < this.#stride) return
    this.points.push(this.#sum / this.#pending)
    this.#sum = this.#pending = 0
    if (this.points.length < most) return
    this.points = Array.from({ length: most / 2 }, (_, i) => ((this.points[2 * i] ?? 0) + (this.points[2 * i + 1] ?? 0)) / 2)
    this.#stride *= 2
  }
}
