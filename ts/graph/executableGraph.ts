// The nodes of one task, run iteration by iteration, phase by phase.
import { autocast, noGrad, setAtWork } from '../autograd/index.ts'
import { FirnError } from '../errors.ts'
import { tensorScope } from '../tensor/index.ts'
import { type CacheAccess, OutputCache } from './cache.ts'
import type { Clock } from './clock.ts'
import type { RunContext } from './context.ts'
import { explainGraph, seenNodes } from './explain.ts'
import type { SeenNode } from './eventKinds.ts'
import type { NodeEvent } from './hooks.ts'
import { type AnyNode, Node } from './node.ts'
import { blame, placeInWords, refusePromise } from './blame.ts'
import { firstStop, isStop, type Stop } from './stop.ts'

/** Says why a name is not among the selected nodes. */
export type ExplainMissing = (name: string) => string

/** Nodes selected by a query, in the order in which they were added. */
export class ExecutableGraph {
  readonly tags: readonly string[]
  readonly nodes: ReadonlyMap<string, AnyNode>
  readonly #explainMissing: ExplainMissing
  readonly #backward: readonly [string, AnyNode][]
  readonly #update: readonly [string, AnyNode][]
  /** Those that may have to be waited for. */
  readonly #late: readonly [string, AnyNode][]
  readonly #reads = new Map<string, Set<string>>()
  #context: RunContext | null = null
  /** Takes the times of nodes; null when nobody asked for them. */
  #clock: Clock | null = null
  #cache = this.#freshCache()
  /**
   * What the gradients of this iteration are to be divided by, told by its losses where these are sums; undefined where they are means.
   * @internal
   */
  lossWeight: number | undefined
  /** Whose backward or update is at work. */
  #inPhase: readonly [name: string, phase: 'backward' | 'update'] | null = null
  /** Asked in anomaly mode for each op: the backward that meets a NaN is that of a loss, and the op may be another node's. */
  readonly #atWork = (): string | undefined => {
    const { running } = this.#cache
    const [name, event] = running === undefined ? (this.#inPhase ?? []) : [running, 'forward']
    return name === undefined || event === undefined ? undefined : placeInWords({ name, event, task: this.context.task })
  }

  constructor(tags: readonly string[], nodes: ReadonlyMap<string, AnyNode>, explainMissing: ExplainMissing) {
    this.tags = tags
    this.nodes = nodes
    this.#explainMissing = explainMissing
    this.#backward = [...nodes].filter(([, node]) => node.actsIn('backward'))
    this.#update = [...nodes].filter(([, node]) => node.actsIn('update'))
    this.#late = [...nodes].filter(([, node]) => node.ready !== Node.prototype.ready)
  }

  /** The run that this graph works for. */
  get context(): RunContext {
    if (this.#context === null) throw new FirnError('graph', `the graph of tags '${this.tags.join(',')}' is not part of a run`)
    return this.#context
  }

  /** Who read whom, in the iterations so far; a node that is missing has not run yet. */
  get reads(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#reads
  }

  /** Iterations until the first node runs out of data; undefined when none sets an end. */
  get epochSize(): number | undefined {
    const sizes = [...this.nodes.values()].map((node) => node.length).filter((length) => length !== undefined)
    return sizes.length === 0 ? undefined : Math.min(...sizes)
  }

  /** Samples handed out since the epoch began. */
  get samples(): number {
    return [...this.nodes.values()].reduce((sum, node) => sum + node.samples, 0)
  }

  /** Whether an optimizer of a node is within a window. */
  get isAccumulating(): boolean {
    return [...this.nodes.values()].some((node) => node.isAccumulating)
  }

  /** Whether no other graph has taken a node since this one was prepared. */
  get hasItsNodes(): boolean {
    return [...this.nodes.values()].every((node) => node.worksFor(this))
  }

  /** Makes the nodes ready for a run and for the mode of its task. */
  async prepare(context: RunContext): Promise<void> {
    this.#context = context
    for (const [name, node] of this.nodes) node.attach(this, name)
    await this.fire('prepare')
  }

  /**
   * Calls an event on every node that is not in `done`, one after another, and puts it there. A stop is thrown when all have had their turn,
   * in `cleanUp` an error too.
   */
  async fire(event: Exclude<NodeEvent, 'forward' | 'backward' | 'update'> | 'taskEnd', done = new Set<AnyNode>()): Promise<void> {
    const stops: Stop[] = []
    const errors: unknown[] = []
    this.#clock = this.context.events.clock
    for (const [name, node] of this.nodes) {
      if (done.has(node)) continue
      done.add(node)
      const begin = this.#clock?.begin()
      try {
        await node[event]()
      } catch (error) {
        if (isStop(error)) stops.push(error)
        else if (event === 'cleanUp') errors.push(this.#blame(error, name, event))
        else throw this.#blame(error, name, event)
      } finally {
        this.#tick(begin, name, event)
      }
    }
    // Both close windows.
    if (event === 'epochEnd' || event === 'taskEnd') this.#rescale()
    if (errors.length > 0) throw errors[0]
    const stop = firstStop(stops)
    if (stop !== undefined) throw stop
  }

  /** What the next iteration has to wait for, because an iteration itself waits for nothing; undefined when it may begin. */
  ready(): Promise<void> | undefined {
    let pending: Promise<void>[] | undefined
    for (const [name, node] of this.#late) {
      const one = this.#readyOf(name, node)
      if (one !== undefined) (pending ??= []).push(one)
    }
    return pending && Promise.all(pending).then(() => {})
  }

  #readyOf(name: string, node: AnyNode): Promise<void> | undefined {
    const refuse = (error: unknown): never => {
      throw this.#blame(error, name, 'forward')
    }
    try {
      const ready = node.ready()?.catch(refuse)
      const { clock } = this.context.events
      if (ready === undefined || clock === null) return ready
      const begin = performance.now()
      return ready.finally(() => clock.waited(begin, name, this.#context?.task?.training ?? false))
    } catch (error) {
      return refuse(error)
    }
  }

  /**
   * One iteration: every node's forward, then in training every backward, then every update. Tensors made in it are freed at its end,
   * with `keep` all but the outputs. One whose forward gives up throws and is not counted; a stop from a later phase is returned.
   */
  iterate(keep = false): Stop | undefined {
    using scope = tensorScope()
    this.#clock = this.context.events.clock
    const before = setAtWork(this.#atWork)
    try {
      const stop = this.context.task?.training ? this.#train() : noGrad(() => this.#evaluate())
      if (keep) scope.end([...this.#cache.tensors()])
      return stop
    } finally {
      setAtWork(before)
      this.#cache.close()
    }
  }

  /** The outputs of the last iteration. */
  get outputs(): CacheAccess {
    return this.#cache.view
  }

  /** The output of a node in this iteration. */
  output(name: string): unknown {
    return this.#cache.get(name)
  }

  /** The nodes in order, their phases, and who was seen to read whom, as data. */
  get seen(): readonly SeenNode[] {
    return seenNodes(this)
  }

  /** The nodes in order, their phases, and who was seen to read whom. */
  toString(): string {
    return explainGraph(this)
  }

  #train(): Stop | undefined {
    this.#forward('trainIterations')
    const stops = [...this.#phase('backward', this.#backward), ...this.#phase('update', this.#update)]
    this.#rescale()
    return firstStop(stops)
  }

  #evaluate(): Stop | undefined {
    this.#forward('evalIterations')
    return firstStop(this.#phase('update', this.#update))
  }

  // The gradients of a window have one scale, so it moves only where no optimizer is within one.
  #rescale(): void {
    const { gradScaler } = this.context
    if (gradScaler === null || gradScaler.found === null) return
    if (!this.isAccumulating) gradScaler.update()
  }

  #forward(counter: 'trainIterations' | 'evalIterations'): void {
    const { counters, events } = this.context
    this.#cache = this.#freshCache().open()
    this.lossWeight = undefined
    counters[counter] += 1
    events.tick = counters[counter]
    try {
      this.#makeOutputs()
    } catch (error) {
      counters[counter] -= 1
      throw error
    }
  }

  // Where a node fails, probes look at what was made until then.
  #makeOutputs(): void {
    const { autocast: options, probes } = this.context
    const make = (): void => this.nodes.forEach((_, name) => void this.#cache.get(name))
    try {
      if (options === null) make()
      else autocast(options, make)
    } finally {
      for (const probe of probes) probe.look(this.#cache, this.context, this.tags)
    }
  }

  // A stop lets the other nodes finish, so that an iteration is done as a whole or, from forward, not at all.
  #phase(phase: 'backward' | 'update', nodes: readonly [string, AnyNode][]): Stop[] {
    const stops: Stop[] = []
    for (const [name, node] of nodes) {
      const begin = this.#clock?.begin()
      this.#inPhase = [name, phase]
      try {
        refusePromise(node[phase]())
      } catch (error) {
        if (!isStop(error)) throw this.#blame(error, name, phase)
        stops.push(error)
      } finally {
        this.#inPhase = null
        this.#tick(begin, name, phase)
      }
    }
    return stops
  }

  #freshCache(): OutputCache {
    return new OutputCache({ produce: (name) => this.#produce(name), absent: (name) => this.#absent(name) }, this.#reads)
  }

  #produce(name: string): unknown {
    const node = this.nodes.get(name)
    if (node === undefined) throw this.#absent(name)
    if (!this.#reads.has(name)) this.#reads.set(name, new Set())
    const begin = this.#clock?.begin()
    try {
      const output = node.forwardImpl(this.#cache.view)
      refusePromise(output)
      return output
    } catch (error) {
      throw this.#blame(error, name, 'forward')
    } finally {
      this.#tick(begin, name, 'forward')
    }
  }

  #absent(name: string): FirnError {
    const why = this.nodes.has(name)
      ? `which has no output: it is made in the forward phase of an iteration of graph.run or graph.step, and there is none, or it was given up`
      : this.#explainMissing(name)
    return new FirnError('graph', `asked for '${name}', ${why}`)
  }

  #tick(begin: number | undefined, name: string, event: string): void {
    if (begin !== undefined) this.#clock?.end(begin, name, event, this.#context?.task?.training ?? false)
  }

  #blame(error: unknown, name: string, event: string): unknown {
    return blame(error, { name, event, task: this.context.task })
  }
}
