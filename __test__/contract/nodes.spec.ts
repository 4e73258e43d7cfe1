// The table of a node's members, row by row.
import test from 'ava'
import {
  DatasetNode,
  evaluate,
  FirnError,
  HyperGraph,
  ModuleNode,
  nn,
  Node,
  ones,
  repeat,
  StopAllTasks,
  StopTask,
  task,
  Tensor,
  train,
} from '../../ts/index.ts'
import { call, type StateTree, type TaskLike } from '../../ts/index.ts'
import type { CacheAccess } from '../../ts/graph/index.ts'
import { nodeEvents } from '../../ts/graph/hooks.ts'
import { folder, hooks, numbers } from '../graph/toys.ts'

const simulated = (train: boolean) => task({ train, steps: 1, simulateEpoch: true })

test('events: a hook for each of prepare, epochStart, forward, backward, update, epochEnd, cleanUp, called in this order', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph().add('A', new Node(hooks(log, 'A')))
  await graph.run([simulated(true)], { outDir: folder(t) })
  t.deepEqual(
    log,
    nodeEvents.map((event) => `A.${event}`),
  )
})

test('a subclass may override each event; its hook comes after its own part where it calls super', async (t) => {
  const log: string[] = []
  class Own extends Node<object, string> {
    override forwardImpl(x: object): string {
      log.push('own forward')
      return super.forwardImpl(x)
    }
    override update(): void {
      log.push('own update')
      super.update()
    }
    override epochEnd(): void | Promise<void> {
      log.push('own epochEnd')
      return super.epochEnd()
    }
  }
  const options = {
    forward: () => String(log.push('forward')),
    update: () => void log.push('update'),
    epochEnd: () => void log.push('epochEnd'),
  }
  const graph = new HyperGraph().add('A', new Own(options)).add('B', new Node({ forward: (_, x) => x.A }))
  await graph.run([simulated(true)], { outDir: folder(t) })
  t.deepEqual(log, ['own forward', 'forward', 'own update', 'update', 'own epochEnd', 'epochEnd'])
})

test('resources: found on the node by their names, in every hook, with their types; tensors and modules are moved', async (t) => {
  const seen: unknown[] = []
  const graph = new HyperGraph().add(
    'A',
    new Node({
      factor: 2,
      parts: { module: new nn.Linear(1, 1), list: [ones([1])] },
      twice: (x: number) => x * 2,
      prepare: (n) => void seen.push(n.parts.module.weight.device, n.parts.list[0]?.device),
      forward: (n) => n.twice(n.factor),
    }),
  )
  t.is((await graph.step()).A, 4)
  t.deepEqual(seen, ['cpu', 'cpu'])
})

test('every member of a node is refused as the name of a resource', (t) => {
  const members = new Set<string>()
  for (let at: object = Node.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) members.add(name)
  }
  for (const event of nodeEvents) members.delete(event)
  t.true(members.size > 25)
  for (const name of members) {
    t.throws(() => new Node({ [name]: 1 }), {
      code: 'argument',
      message: `Node: '${name}' is a member of every node; give the resource another name`,
    })
  }
})

const rows = ['name', 'training', 'device', 'stepMode', 'task', 'launcher', 'outDir', 'runId', 'board', 'allNodes'] as const

test('name, training, device, stepMode, task, launcher, outDir, runId, board, allNodes', async (t) => {
  const outDir = folder(t)
  const seen: unknown[] = []
  const graph = new HyperGraph()
    .add('A', new Node({ forward: (n) => void seen.push(rows.map((row) => n[row])), epochEnd: (n) => n.board.metric('m', 7) }), {
      tags: 'a',
    })
    .add('B', new Node({}), { tags: ['a', 'b'] })
    .add('C', new Node({}), { tags: 'c' })
  const run = graph.run([task({ train: false, steps: 1, tags: ['a', 'b'], simulateEpoch: true })], { outDir, runId: 'mine', device: 'cpu' })
  const result = await run
  const [name, training, device, stepMode, now, launcher, out, runId, , allNodes] = seen.flat()
  t.deepEqual([name, training, device, stepMode], ['A', false, 'cpu', true])
  t.like(now, { label: 'evaluate by steps, tags a,b', training: false, stepMode: true, tags: ['a', 'b'], total: 1 })
  t.deepEqual(launcher, { rank: 0, worldSize: 1 })
  t.deepEqual([out, String(runId).startsWith('mine_')], [result.outDir, true])
  t.true(result.outDir.endsWith(String(runId)))
  t.deepEqual(allNodes instanceof Map && [...allNodes.keys()], ['A', 'B'])
  t.deepEqual(result.metrics.eval, { m: 7 })
})

const counters = ['globalAutoSteps', 'globalTrainSteps', 'globalTrainEpochs', 'epochSteps', 'epochSize', 'gradAccSteps'] as const

test('globalAutoSteps, globalTrainSteps, globalTrainEpochs, epochSteps, epochSize, gradAccSteps, in each mode', async (t) => {
  const seen: unknown[] = []
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(2) }))
    .add('see', new Node({ forward: (n) => void seen.push(counters.map((counter) => n[counter])) }))
    .accumulate(2)
  const tasks = [repeat(2, [train({ epochs: 1 }), evaluate({ epochs: 1 })]), train({ steps: 1 }), evaluate({ steps: 1 })]
  await graph.run(tasks, { outDir: folder(t) })
  t.deepEqual(seen, [
    [1, 1, 0, 0, 2, 2],
    [2, 2, 0, 1, 2, 2],
    [1, 2, 1, 0, 2, 2],
    [2, 2, 1, 1, 2, 2],
    [3, 3, 1, 0, 2, 2],
    [4, 4, 1, 1, 2, 2],
    [3, 4, 2, 0, 2, 2],
    [4, 4, 2, 1, 2, 2],
    [5, 5, 2, 0, 0, 2],
    [6, 6, 2, 1, 0, 2],
    [5, 6, 2, 0, 0, 2],
    [6, 6, 2, 1, 0, 2],
  ])
})

test('gradScaler: the one of the run, null without', async (t) => {
  const outDir = folder(t)
  const seen: unknown[] = []
  const graph = new HyperGraph().add('A', new Node({ forward: (n) => void seen.push(n.gradScaler?.getScale() ?? null) }))
  await graph.run([train({ steps: 1 })], { outDir })
  await graph.gradScaler({ initScale: 8 }).run([train({ steps: 1 })], { outDir })
  t.deepEqual(seen, [null, 8])
})

test('forwardImpl, stateDict, loadStateDict and move may be overridden, forward may not', async (t) => {
  const moved: string[] = []
  class Own extends Node<object, number, { part: string }> {
    #count = 0
    override forwardImpl(): number {
      return (this.#count += 1)
    }
    override stateDict(): StateTree {
      return this.#count
    }
    override loadStateDict(state: StateTree): readonly string[] {
      this.#count = Number(state)
      return []
    }
    override move<T>(data: T): T {
      moved.push(String(data))
      return data
    }
  }
  class Wrong extends Node {
    override forward(): undefined {}
  }
  const path = `${folder(t)}/state`
  const [before, after] = [new Own({ part: 'p' }), new Own({ part: 'q' })].map((node) => new HyperGraph().add('own', node))
  if (before === undefined || after === undefined) return t.fail()
  t.is((await before.step({ steps: 3 })).own, 3)
  await before.saveCheckpoint({ to: path })
  await after.loadCheckpoint(path)
  t.is((await after.step()).own, 4)
  t.deepEqual(moved, ['p', 'q'])
  t.throws(() => new Wrong({}), {
    code: 'graph',
    message: /Wrong: forward\(\) serves the kept output and cannot be overridden; override forwardImpl/,
  })
})

test('move: lists and records are followed, the rest stays as it is, and a device that is not there is refused', async (t) => {
  const seen: unknown[] = []
  const data = { list: [ones([1]), 'word'], module: new nn.Linear(1, 1), fn: () => 1 }
  const graph = new HyperGraph().add('A', new Node({ forward: (n) => void seen.push(n.move(data), n.move(data, 'cpu')) }))
  await graph.step()
  t.true(seen.length === 2 && seen.every((moved) => moved === data))
  for (const away of [ones([1]), [ones([1])], { deep: { module: new nn.Linear(1, 1) } }]) {
    const node = new Node({ forward: (n) => void n.move(away, 'cuda:0') })
    await t.throwsAsync(new HyperGraph().add('A', node).step(), {
      code: 'device',
      message: "node 'A' in forward of 'train by steps, tags *', iteration 0: device: 'cuda:0' is not in this build; available: auto, cpu",
    })
  }
})

test('device placement: resources and modules are moved when they are prepared, batches when they are handed out', async (t) => {
  const moved: string[] = []
  const note = (what: unknown) => void moved.push(what instanceof nn.Module ? 'module' : what instanceof Tensor ? 'tensor' : 'batch')
  class Data extends DatasetNode<ReturnType<typeof numbers>> {
    override move<T>(data: T): T {
      note(data)
      return super.move(data)
    }
  }
  class Net extends ModuleNode<object, nn.Linear, number, { extra: Tensor }> {
    override move<T>(data: T): T {
      note(data)
      return super.move(data)
    }
  }
  const graph = new HyperGraph()
    .add('data', new Data({ dataset: numbers(2) }))
    .add('net', new Net({ module: new nn.Linear(1, 1), extra: ones([1]), forward: () => moved.push('forward') }))
  await graph.run([train({ steps: 2 })], { outDir: folder(t) })
  t.deepEqual(moved, ['module', 'tensor', 'batch', 'forward', 'batch', 'forward'])
})

const fail = (error: Error) => (): never => {
  throw error
}

for (const event of nodeEvents) {
  test(`errors: from ${event}, rethrown with node, phase and task, and the original as cause`, async (t) => {
    const original = new RangeError('too far')
    const graph = new HyperGraph().add('net', new Node({ [event]: fail(original) }))
    const error = await t.throwsAsync(graph.run([task({ train: true, steps: 1, tags: 'x', simulateEpoch: true })], { outDir: folder(t) }), {
      instanceOf: FirnError,
      code: 'graph',
    })
    const where = event === 'cleanUp' ? '' : ` of 'train by steps, tags x', iteration ${event === 'epochEnd' ? 1 : 0}`
    t.is(error?.message, `node 'net' in ${event}${where}: too far`)
    t.is(error?.cause, original)
  })
}

test('errors: told once, at the innermost node, with the code of the original; what is no Error is told too', async (t) => {
  const graph = new HyperGraph()
    .add('outer', new Node({ forward: (_, x: CacheAccess) => x.get('middle') }))
    .add('middle', new Node({ forward: (_, x: CacheAccess) => x.get('inner') }))
    .add('inner', new Node({ forward: () => ones([2]).add(ones([3])) }))
  const error = await t.throwsAsync(graph.step({ train: false }), {
    code: 'shape',
    message: /^node 'inner' in forward of 'evaluate by steps, tags \*', iteration 0: add/,
  })
  t.true(error?.cause instanceof FirnError && error.cause.cause === undefined)
  const odd = new HyperGraph().add(
    'odd',
    new Node({
      forward: () => {
        // oxlint-disable-next-line no-throw-literal -- what libraries of others do
        throw 'a word'
      },
    }),
  )
  await t.throwsAsync(odd.step(), { message: /iteration 0: a word$/ })
})

test('errors: every node cleans up, whatever happened; the first error is the one to read', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph()
    .add('A', new Node({ update: fail(new Error('first')), cleanUp: fail(new Error('second')) }))
    .add('B', new Node({ cleanUp: () => void log.push('B') }), { tags: 'b' })
    .add('C', new Node({ cleanUp: () => void log.push('C') }))
  await t.throwsAsync(graph.run([evaluate({ steps: 1, tags: 'c' }), train({ steps: 1, tags: 'b' })], { outDir: folder(t) }), {
    message: /first$/,
  })
  t.deepEqual(log, ['C'])
  const outer = new HyperGraph()
    .add('A', new Node({ cleanUp: fail(new Error('second')) }))
    .add('B', new Node({ cleanUp: () => void log.push('B') }))
  await t.throwsAsync(outer.run([train({ steps: 1 })], { outDir: folder(t) }), { message: /^node 'A' in cleanUp: second$/ })
  t.deepEqual(log, ['C', 'B'])
})

// What the first of two tasks does when A stops in an event of it, and what is done again before the second.
const both = (...events: string[]) => events.flatMap((event) => [`A.${event}`, `B.${event}`])
const whole = both('epochStart', 'forward', 'backward', 'update', 'epochEnd')
const stops: Record<(typeof nodeEvents)[number], { first: string[]; again?: string[] }> = {
  prepare: { first: both('prepare'), again: both('prepare') },
  epochStart: { first: both('prepare', 'epochStart', 'epochEnd') },
  forward: { first: [...both('prepare', 'epochStart'), 'A.forward', ...both('epochEnd')] },
  backward: { first: both('prepare', 'epochStart', 'forward', 'backward', 'update', 'epochEnd') },
  update: { first: both('prepare', 'epochStart', 'forward', 'backward', 'update', 'epochEnd') },
  epochEnd: { first: both('prepare', 'epochStart', 'forward', 'backward', 'update', 'forward', 'backward', 'update', 'epochEnd') },
  cleanUp: { first: both('prepare', 'epochStart', 'forward', 'backward', 'update', 'forward', 'backward', 'update', 'epochEnd') },
}

for (const event of nodeEvents) {
  for (const Stop of [StopTask, StopAllTasks]) {
    test(`${Stop.name} from ${event} ends the ${Stop === StopTask ? 'task' : 'run'} in good order`, async (t) => {
      const log: string[] = []
      let stopping = true
      const own = hooks(log, 'A')
      const stop = {
        [event]: () => {
          own[event]()
          if (stopping) throw new Stop('enough')
        },
      }
      const graph = new HyperGraph().add('A', new Node({ ...own, ...stop })).add('B', new Node(hooks(log, 'B')))
      const tasks: TaskLike[] = [
        task({ train: true, steps: 2, simulateEpoch: true }),
        call(() => void (stopping = event === 'cleanUp')),
        simulated(true),
      ]
      const ends: string[] = []
      graph.events.on('taskStart', () => void ends.push('start'))
      graph.events.on('taskEnd', () => void ends.push('end'))
      graph.events.on('runEnd', ({ error }) => void ends.push(String(error)))
      await graph.run(tasks, { outDir: folder(t) })
      const { first, again = [] } = stops[event]
      const goesOn = Stop === StopTask || event === 'cleanUp'
      t.deepEqual(log, [...first, ...(goesOn ? [...again, ...whole] : []), ...both('cleanUp')])
      t.deepEqual(ends, [...(goesOn ? ['start', 'end', 'start', 'end'] : ['start', 'end']), 'undefined'])
    })
  }
}

test('of two stops in one phase, the one that ends the run counts', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph()
    .add('A', new Node({ update: fail(new StopTask()) }))
    .add('B', new Node({ update: fail(new StopAllTasks()) }))
  await graph.run([train({ steps: 1 }), call(() => void log.push('next'))], { outDir: folder(t) })
  t.deepEqual(log, [])
})

test('a stop from a call ends that call, or the run', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph().add('A', new Node({}))
  const tasks = [
    call(fail(new StopTask())),
    call(() => void log.push('next')),
    call(fail(new StopAllTasks())),
    call(() => void log.push('last')),
  ]
  await graph.run(tasks, { outDir: folder(t) })
  t.deepEqual(log, ['next'])
})
