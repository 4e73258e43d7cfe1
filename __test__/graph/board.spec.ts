import test from 'ava'
import { type Board, type GraphEvents, LossNode, ModuleNode, Node, StopTask } from '../../ts/graph/index.ts'
import { sgd } from '../../ts/optim/index.ts'
import { evaluate, HyperGraph, train } from '../../ts/run/index.ts'
import { arange, memory, tensor, zeros } from '../../ts/tensor/index.ts'
import { countReads } from '../observe/reads.ts'
import { folder, Weights } from './toys.ts'

const training = () =>
  new HyperGraph()
    .add('net', new ModuleNode({ module: new Weights(), optimizers: sgd({ lr: 0.1 }), forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))

/** What a node that does `work` in every iteration tells the listeners of one kind. */
async function told<Kind extends keyof GraphEvents>(
  kind: Kind,
  outDir: string,
  work: (node: { readonly board: Board }) => void,
): Promise<GraphEvents[Kind][]> {
  const graph = new HyperGraph().add('watch', new Node({ forward: (n) => work(n) }))
  const seen: GraphEvents[Kind][] = []
  graph.events.on(kind, (payload) => void seen.push(payload))
  await graph.run([train({ steps: 1 })], { outDir })
  return seen
}

test.serial('without a listener nothing is computed, kept or read', async (t) => {
  const graph = training().add(
    'watch',
    new Node({
      forward: (n, x) => {
        const before = memory().handles
        n.board.scalar('net', x.net)
        n.board.histogram('net', x.net)
        n.board.image('net', zeros([2, 2]))
        n.board.text('net', 'text')
        t.is(memory().handles, before + 1)
      },
    }),
  )
  t.is(await countReads(() => graph.run([train({ steps: 3 })], { outDir: folder(t) })), 0)
})

test.serial('the losses of all iterations are read at once, in order, with their steps', async (t) => {
  const graph = training()
  const seen: [number, number][] = []
  graph.events.on('scalar', ({ node, name, step, value, training, tags }) => {
    t.deepEqual([node, name, training, tags], ['loss', 'loss', true, ['*']])
    seen.push([step, Number(value.toFixed(3))])
  })
  const tasks = [train({ simulateEpoch: true, steps: 4 }), evaluate({ steps: 2 })]
  const reads = await countReads(() => graph.run(tasks, { outDir: folder(t) }))
  t.deepEqual(seen, [
    [1, 1],
    [2, 0.81],
    [3, 0.656],
    [4, 0.531],
  ])
  t.is(reads, 2, 'one for the losses, one for their mean; evaluations report no single losses')
})

test.serial('values that were told are freed', async (t) => {
  const grown = async (listen: boolean): Promise<number> => {
    const graph = training()
    if (listen) graph.events.on('scalar', () => {})
    const before = memory().tensors
    await graph.run([train({ steps: 4 })], { outDir: folder(t) })
    return memory().tensors - before
  }
  t.is(await grown(true), await grown(false))
})

test('with every, values are made and told in every so many iterations only', async (t) => {
  const graph = training()
  const steps: Record<string, number[]> = { scalar: [], update: [], iterationEnd: [] }
  let made = 0
  graph.add(
    'watch',
    new Node({ update: (n) => (n.board.text('t', 'text'), void (made += Number(n.graph.context.events.listens('scalar')))) }),
  )
  graph.events.on('scalar', ({ step }) => void steps['scalar']?.push(step), { every: 3 })
  graph.events.on('update', ({ step }) => void steps['update']?.push(step), { every: 2 })
  graph.events.on('iterationEnd', ({ epochSteps }) => void steps['iterationEnd']?.push(epochSteps), { every: 4 })
  await graph.run([train({ steps: 7 })], { outDir: folder(t) })
  t.deepEqual(steps, { scalar: [3, 6], update: [2, 4, 6], iterationEnd: [4] })
  t.is(made, 2)
})

test('what is reported between iterations is heard whatever every says', async (t) => {
  const graph = training().add(
    'watch',
    new Node({
      epochStart: (n) => n.board.text('start', ''),
      forward: (n) => n.board.text('within', ''),
      epochEnd: (n) => n.board.text('end', ''),
    }),
  )
  const seen: string[] = []
  graph.events.on('text', ({ name, step }) => void seen.push(`${name} ${step}`), { every: 2 })
  await graph.run([train({ steps: 3, simulateEpoch: true })], { outDir: folder(t) })
  t.deepEqual(seen, ['start 0', 'within 2', 'end 3'])
})

test('an update stands for its window: every hears of one for each multiple that it covers', async (t) => {
  const graph = training().accumulate(3)
  const steps: number[] = []
  graph.events.on('update', ({ step }) => void steps.push(step), { every: 4 })
  await graph.run([train({ steps: 6 })], { outDir: folder(t) })
  t.deepEqual(steps, [6, 9, 12, 18], '4, 8, 12 and 16 are in the windows that end here')
})

test('a scalar may be a number, stands at the step that it is given, and is read right from bfloat16', async (t) => {
  const seen = await told('scalar', folder(t), ({ board }) => {
    board.scalar('a', 0.5)
    board.scalar('b', tensor([[3]], { dtype: 'bfloat16' }), { step: 40 })
    board.scalar('c', tensor(7, { dtype: 'int64' }))
  })
  t.deepEqual(
    seen.map(({ name, value, step }) => [name, value, step]),
    [
      ['a', 0.5, 1],
      ['b', 3, 40],
      ['c', 7, 1],
    ],
  )
  await t.throwsAsync(
    told('scalar', folder(t), ({ board }) => board.scalar('a', zeros([2]))),
    { code: 'shape', message: /board\.scalar: 'a' has shape \[2\], expected one number/ },
  )
  await t.throwsAsync(
    // @ts-expect-error: for callers without types
    told('scalar', folder(t), ({ board }) => board.scalar('a', 1, { steps: 2 })),
    { code: 'argument', message: /did you mean 'step'/ },
  )
})

test('a histogram has every finite number in its bucket, and the facts about them', async (t) => {
  const values = [-1e30, -2, -2, 0, 0.5, 3, NaN, Infinity]
  const [seen] = await told('histogram', folder(t), ({ board }) => board.histogram('h', tensor(values, { dtype: 'float64' })))
  t.like(seen, { count: 6, nonFinite: 2, min: -1e30, max: 3, sum: -1e30 })
  const { limits = [], counts = [] } = seen ?? {}
  t.is(limits.length, counts.length)
  t.true(
    limits.every((end, i) => i === 0 || end > (limits[i - 1] ?? end)),
    'ascending',
  )
  const expected = limits.map((end, i) => values.filter((x) => x < end && (i === 0 || x >= (limits[i - 1] ?? 0))).length)
  t.deepEqual(counts, expected)
  t.true((counts[0] ?? 0) > 0 && (counts.at(-1) ?? 0) > 0)
})

test('a histogram of nothing, or of nothing finite, is empty', async (t) => {
  const [none, broken] = await told('histogram', folder(t), ({ board }) => {
    board.histogram('none', zeros([0, 3]))
    board.histogram('broken', tensor([NaN, NaN]))
  })
  t.like(none, { count: 0, nonFinite: 0, min: NaN, max: NaN, sum: 0, limits: [], counts: [] })
  t.like(broken, { count: 0, nonFinite: 2, min: NaN, max: NaN, sum: 0, limits: [], counts: [] })
})

test('images become pixels of bytes', async (t) => {
  const seen = await told('image', folder(t), ({ board }) => {
    board.image(
      'grey',
      tensor([
        [0, 1],
        [0.5, 2],
        [-1, NaN],
      ]),
    )
    board.image('color', arange(0, 12, { dtype: 'uint8' }).reshape([3, 2, 2]))
  })
  t.like(seen[0], { width: 2, height: 3, channels: 1 })
  t.deepEqual([...(seen[0]?.data ?? [])], [0, 255, 128, 255, 0, 0])
  t.like(seen[1], { width: 2, height: 2, channels: 3 })
  t.deepEqual([...(seen[1]?.data ?? [])], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
  for (const shape of [[4], [5, 2, 2], [1, 1, 2, 2], [0, 2]]) {
    await t.throwsAsync(
      told('image', folder(t), ({ board }) => board.image('i', zeros(shape))),
      { code: 'shape', message: /'i' has shape/ },
    )
  }
  await t.throwsAsync(
    told('image', folder(t), ({ board }) => board.image('i', zeros([2, 2], { dtype: 'int32' }))),
    { code: 'dtype' },
  )
})

test('the norm of the gradients comes without clipping, where somebody listens; with it, it is the one that clipped', async (t) => {
  const norms = async (options: object): Promise<number[]> => {
    const graph = new HyperGraph()
      .add('net', new ModuleNode({ module: new Weights(), optimizers: sgd({ lr: 0, ...options }), forward: (n) => n.module.forward() }))
      .add('loss', new LossNode({ forward: (_, x) => x.net.mul(3) }))
    const seen: number[] = []
    graph.events.on('gradNorm', ({ node, pattern, value }) => (t.deepEqual([node, pattern], ['net', '.*']), void seen.push(value)))
    await graph
      .gradScaler({ initScale: 8 })
      .accumulate(2)
      .run([train({ steps: 2 })], { outDir: folder(t) })
    return seen.map((value) => Number(value.toFixed(4)))
  }
  const norm = Number(Math.hypot(3, 3).toFixed(4))
  t.deepEqual(await norms({}), [norm, norm])
  t.deepEqual(await norms({ clipGradNorm: 0.1 }), [norm, norm])
})

test('listening to the norm does not change the weights', async (t) => {
  const result = async (listen: boolean): Promise<string> => {
    const graph = training()
    if (listen) graph.events.on('gradNorm', () => {})
    await graph.run([train({ steps: 5 })], { outDir: folder(t) })
    const net = graph.get('net')
    return net instanceof ModuleNode && net.module instanceof Weights ? net.module.a.toString() : ''
  }
  t.is(await result(true), await result(false))
})

test('a listener of a late value that fails ends the run, and one that stops ends the task', async (t) => {
  const graph = training()
  const off = graph.events.on('scalar', ({ step }) => {
    if (step === 2) throw new Error('no more')
  })
  const told: number[] = []
  graph.events.on('scalar', ({ step }) => void told.push(step))
  await t.throwsAsync(graph.run([train({ steps: 3 })], { outDir: folder(t) }), { message: 'no more' })
  t.deepEqual(told, [1, 3], 'later values still come')
  off()
  graph.events.on('scalar', () => {
    throw new StopTask('enough')
  })
  await t.notThrowsAsync(graph.run([train({ steps: 3, simulateEpoch: true }), train({ steps: 1 })], { outDir: folder(t) }))
})

test('what is reported at the very end still comes before runEnd does', async (t) => {
  const log: string[] = []
  const graph = new HyperGraph().add('watch', new Node({ cleanUp: (n) => n.board.scalar('last', 1) }))
  graph.events.on('scalar', ({ name, training }) => void log.push(`${name} ${training}`))
  graph.events.on('runEnd', () => void log.push('runEnd'))
  await graph.run([train({ steps: 1 })], { outDir: folder(t) })
  t.deepEqual(log, ['last false', 'runEnd'])
})

test('events that do not come in iterations take no every; unknown ones are refused', (t) => {
  const { events } = new HyperGraph()
  t.throws(() => events.on('update', () => {}, { every: 0.5 }), { code: 'argument', message: /every 0\.5, expected a whole number from 1/ })
  // @ts-expect-error: refused by the types, too
  t.throws(() => events.on('epochEnd', () => {}, { every: 2 }), { code: 'argument', message: /'epochEnd' does not come in iterations/ })
  // @ts-expect-error: for callers without types
  t.throws(() => events.on('epochsEnd', () => {}), { code: 'argument', message: /did you mean 'epochEnd'/ })
})
