// What is shown of a task at work: where it is, its loss, its rates, its speed.
import type { EventSource, TaskInfo } from '../graph/index.ts'
import type { BoundOptimizer } from '../optim/index.ts'
import { duration, modeOf, rate, short, whole } from './words.ts'

/** A mean in which a value counts for half after some 34 later ones, as fastai smooths its losses; what is not finite shows until the next value. */
class Smoothed {
  #sum = 0
  #weight = 0
  #last = NaN

  add(value: number): void {
    this.#last = value
    if (!Number.isFinite(value)) return
    this.#sum = 0.98 * this.#sum + 0.02 * value
    this.#weight = 0.98 * this.#weight + 0.02
  }

  get value(): number {
    return Number.isFinite(this.#last) ? this.#sum / this.#weight : this.#last
  }
}

/** Follows a run, and says how it is going. */
export class Status {
  readonly #losses = new Map<string, Smoothed>()
  readonly #optimizers = new Map<string, readonly BoundOptimizer[]>()
  #began = { time: 0, iterations: 0, samples: 0 }
  #task: TaskInfo | null = null

  constructor(events: EventSource) {
    events.on('runStart', () => this.#losses.clear())
    events.on('optimizers', ({ node, optimizers }) => void this.#optimizers.set(node, Object.values(optimizers)))
    events.on('taskStart', (task) => this.#begin(task, task.samples))
    events.on('epochStart', (task) => this.#begin(task, 0))
    // Another was at work in the middle of it.
    events.on('iterationStart', (task) => (task === this.#task ? undefined : this.#begin(task, task.samples)))
    events.on('scalar', ({ node, name, value, training }) => {
      if (training && node === name) this.#lossOf(name).add(value)
    })
  }

  /** `train  epoch 3/6`: what is at work. */
  head(task: TaskInfo): string {
    const times = task.rounds.reduce((product, { times }) => product * times, 1)
    const before = task.rounds.reduce((index, { round, times }) => index * times + round - 1, 0)
    const unit = task.stepMode ? 'round' : 'epoch'
    const [at, of] = task.stepMode ? [before + 1, times] : [before * task.total + task.done + 1, times * task.total]
    return [modeOf(task).padEnd(5), ...(of > 1 ? [`${unit} ${at}/${of}`] : [])].join('  ')
  }

  /** `512/938  loss 0.0812  lr 0.001  8,912 samples/s  12 s left`: how far it is, and how it goes. */
  facts(task: TaskInfo): string {
    const [done, total] = reach(task)
    const seconds = (performance.now() - this.#began.time) / 1000
    const iterations = task.epochSteps - this.#began.iterations
    const samples = task.samples - this.#began.samples
    const speed = samples > 0 ? `${whole(samples / seconds)} samples/s` : `${whole(iterations / seconds)} it/s`
    const left = done === 0 || iterations === 0 ? 0 : ((seconds / iterations) * task.epochSteps * (total - done)) / done
    return [`${done}/${total}`, ...(task.training ? [...this.#lossLines(), ...this.#rates()] : []), speed, `${duration(left)} left`].join(
      '  ',
    )
  }

  #begin(task: TaskInfo, samples: number): void {
    this.#task = task
    this.#began = { time: performance.now(), iterations: task.epochSteps, samples }
  }

  #lossOf(name: string): Smoothed {
    const known = this.#losses.get(name) ?? new Smoothed()
    this.#losses.set(name, known)
    return known
  }

  #lossLines(): string[] {
    return [...this.#losses].slice(0, 3).map(([name, loss]) => `${name} ${short(loss.value)}`)
  }

  #rates(): string[] {
    const rates = [...this.#optimizers.values()].flat().flatMap(({ paramGroups }) => paramGroups.map(({ lr }) => lr))
    const [low, high] = [Math.min(...rates), Math.max(...rates)]
    return rates.length === 0 ? [] : [low === high ? `lr ${rate(low)}` : `lr ${rate(low)} to ${rate(high)}`]
  }
}

/** Steps, or iterations of the epoch, that are done, and how many there are. */
export const reach = (task: TaskInfo): readonly [done: number, total: number] =>
  task.stepMode ? [task.done, task.total] : [task.epochSteps, task.epochSize]
