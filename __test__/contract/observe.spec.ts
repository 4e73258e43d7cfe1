// What a run tells and what listening costs: the events in their order, values read late, nothing for nobody.
import { PassThrough } from 'node:stream'
import test from 'ava'
import { type Board, type GraphEvents, ModuleNode, Node, type Observer } from '../../ts/graph/index.ts'
import { csv, epochLog, jsonl, progress, tensorBoard } from '../../ts/observe/index.ts'
import { sgd } from '../../ts/optim/index.ts'
import { evaluate, saveCheckpoint, train } from '../../ts/run/index.ts'
import { memory, zeros } from '../../ts/tensor/index.ts'
import { folder, Weights } from '../graph/toys.ts'
import { countCalls, countReads } from '../observe/reads.ts'
import { toy } from '../observe/toy.ts'

const everything = (): readonly Observer[] => [
  jsonl({ every: 1 }),
  csv({ every: 1, vitals: ['lr', 'speed', 'memory', 'lossScale'] }),
  tensorBoard({ every: 1, vitals: ['lr'] }),
  progress({ print: () => {}, stream: Object.assign(new PassThrough(), { isTTY: true }), chart: true }),
  epochLog(() => {}),
]

/** The toy with a node that reports in each iteration. */
const reporting = (observers: readonly Observer[]) =>
  toy(observers, sgd({ lr: 0.01, clipGradNorm: 1 })).add(
    'watch',
    new Node({
      update: (n) => {
        n.board.scalar('twice', 2)
        n.board.text('note', 'text')
      },
    }),
  )

test('what can be listened to, in the order in which it comes: late values are told in order, before the end of the epoch is', async (t) => {
  const log: string[] = []
  const note = <Kind extends keyof GraphEvents>(kind: Kind, say: (payload: GraphEvents[Kind]) => string): void => {
    graph.events.on(kind, (payload: GraphEvents[Kind]) => void log.push(`${kind} ${say(payload)}`.trim()))
  }
  const graph = reporting([])
  note('runStart', () => '')
  note('taskStart', ({ label }) => label)
  note('optimizers', ({ node }) => node)
  note('epochStart', () => '')
  note('iterationStart', ({ epochSteps }) => String(epochSteps))
  note('update', ({ node, step }) => `${node} ${step}`)
  note('gradNorm', ({ node, step }) => `${node} ${step}`)
  note('iterationEnd', ({ epochSteps }) => String(epochSteps))
  note('scalar', ({ name, step }) => `${name} ${step}`)
  note('text', ({ name, step }) => `${name} ${step}`)
  note('metric', ({ name }) => name)
  note('epochEnd', ({ epoch }) => String(epoch))
  note('taskEnd', () => '')
  note('checkpointSaved', () => '')
  note('runEnd', () => '')
  await graph.run([train({ steps: 2, simulateEpoch: true }), saveCheckpoint()], { outDir: folder(t) })
  const iteration = (i: number) => [`iterationStart ${i - 1}`, `update net ${i}`, `gradNorm net ${i}`, `iterationEnd ${i}`]
  const reported = (i: number) => [`loss ${i}`, `twice ${i}`, `note ${i}`].map((value, k) => `${k < 2 ? 'scalar' : 'text'} ${value}`)
  t.deepEqual(log, [
    'runStart',
    'optimizers net',
    'taskStart train by steps, tags *',
    'epochStart',
    ...iteration(1),
    ...iteration(2),
    'metric loss',
    ...reported(1),
    ...reported(2),
    'epochEnd 1',
    'taskEnd',
    'checkpointSaved',
    'runEnd',
  ])
})

test.serial('LossNode logs without a device sync: no iteration reads a number, whoever logs', async (t) => {
  const during: number[] = []
  const graph = reporting(everything())
  const tasks = [train({ epochs: 2 }), evaluate({ epochs: 1 })]
  await countReads(async (reads) => {
    let before = 0
    graph.events.on('iterationStart', () => void (before = reads()))
    graph.events.on('iterationEnd', () => void during.push(reads() - before))
    await graph.run(tasks, { outDir: folder(t) })
  })
  t.deepEqual(during, Array<number>(30).fill(0))
})

test.serial('whoever logs, numbers stay the same to the last bit, and nothing is left alive', async (t) => {
  const run = async (observers: readonly Observer[]) => {
    const graph = reporting(observers)
    const before = memory().tensors
    await graph.run([train({ epochs: 3 }), evaluate({ epochs: 1 })], { outDir: folder(t) })
    const net = graph.get('net')
    const weights = net instanceof ModuleNode && net.module instanceof Weights ? [net.module.a.itemSync(), net.module.b.itemSync()] : []
    return { weights, left: memory().tensors - before }
  }
  t.deepEqual(await run(everything()), await run([]))
})

test.serial('for nobody nothing is made: a board without listeners does not call the core once', async (t) => {
  const calls = (update: (node: { readonly board: Board }) => void): Promise<number> => {
    const graph = toy([]).add('watch', new Node({ update: (n) => update(n) }))
    return countCalls(() => graph.run([train({ epochs: 1 })], { outDir: folder(t) }))
  }
  const values = zeros([3])
  const silent = await calls(() => {})
  const reports = await calls(({ board }) => {
    board.scalar('scalar', 1)
    board.histogram('histogram', values)
    board.image('image', values)
    board.text('text', 'text')
  })
  t.is(reports, silent)
  t.true(silent > 0)
})
