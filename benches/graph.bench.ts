// What a graph costs beside the same loop by hand: chains of nodes that do next to nothing, and a training step.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { F, HyperGraph, LossNode, ModuleNode, nn, Node, optim, tensor, tensorScope, train, type Tensor } from '../ts/index.ts'
import type { CacheAccess } from '../ts/graph/index.ts'
import { measure, type Work } from './measure.ts'
import { wave } from './peers/cases.ts'

// A run keeps the sources of its program. Those of a user are not all of firn's, which this file imports: it runs as a program of one file.
process.argv[1] = fileURLToPath(new URL('../examples/eager.ts', import.meta.url))

const lengths = [1, 5, 20, 80]
const iterations = 5000

/** Iterations of a graph in runs of their own, whose folders go away at the end. */
function runs(graph: Pick<HyperGraph, 'run'>, steps: number): ReturnType<Work['open']> {
  const outDir = mkdtempSync(join(tmpdir(), 'firn-bench-'))
  return { run: () => graph.run([train({ steps })], { outDir }), close: () => rmSync(outDir, { recursive: true }) }
}

/** Each node adds 1 to what the node before it put out. */
function chain(length: number): HyperGraph {
  const graph: HyperGraph = new HyperGraph()
  graph.add('n0', new Node({ forward: () => 1 }))
  for (let i = 1; i < length; i++) {
    const before = `n${i - 1}`
    graph.add(`n${i}`, new Node({ forward: (_, x: CacheAccess) => x.get<number>(before) + 1 }))
  }
  return graph
}

/** The same work without a graph: functions over a map of what the others gave. */
function loop(length: number): () => void {
  const nodes = Array.from({ length }, (_, i) => {
    const before = `n${i - 1}`
    return [`n${i}`, i === 0 ? () => 1 : (x: Map<string, number>) => (x.get(before) ?? 0) + 1] as const
  })
  return () => {
    using _scope = tensorScope()
    const outputs = new Map<string, number>()
    for (const [name, forward] of nodes) outputs.set(name, forward(outputs))
  }
}

const batch = 64
const layers = () =>
  new nn.Sequential(new nn.Linear(784, 256), new nn.ReLU(), new nn.Linear(256, 128), new nn.ReLU(), new nn.Linear(128, 10))
const image = tensor(wave(batch * 784, 1, 0), { shape: [batch, 784] })
const label = tensor(
  Array.from({ length: batch }, (_, i) => i % 10),
  { dtype: 'int64' },
)
const rule = optim.adamW({ lr: 1e-3 })

function mlpGraph(): Pick<HyperGraph, 'run'> {
  return new HyperGraph()
    .add('data', new Node({ forward: () => ({ image, label }) }))
    .add('net', new ModuleNode({ module: layers(), forward: (n, x): Tensor => n.module.forward(x.data.image), optimizers: rule }))
    .add('loss', new LossNode({ forward: (_, x) => F.crossEntropy(x.net, x.data.label) }))
}

function mlpLoop(): () => void {
  const model = layers()
  const opt = rule.bind(model)
  return () => {
    using _step = tensorScope()
    F.crossEntropy(model.forward(image), label).backward()
    opt.step()
    opt.zeroGrad()
  }
}

// As many as a run has, so that both are means over the same number.
const many = (run: () => void, count: number) => () => {
  for (let i = 0; i < count; i++) run()
}
const steps = 200
const rows = await measure('graph', [
  ...lengths.flatMap((length): Work[] => [
    { name: `chain of ${length}, graph`, per: iterations, open: () => runs(chain(length), iterations) },
    { name: `chain of ${length}, by hand`, per: iterations, open: () => ({ run: many(loop(length), iterations) }) },
  ]),
  { name: 'MLP 784-256-128-10, B=64, graph', per: steps, budget: 3000, open: () => runs(mlpGraph(), steps) },
  { name: 'MLP 784-256-128-10, B=64, by hand', per: steps, budget: 3000, open: () => ({ run: many(mlpLoop(), steps) }) },
])

const microseconds = (name: string): number => 1000 * (rows.find((row) => row.name === name)?.median ?? NaN)
for (const length of lengths) {
  const more = microseconds(`chain of ${length}, graph`) - microseconds(`chain of ${length}, by hand`)
  if (!Number.isNaN(more)) console.log(`  chain of ${length}: ${(more / length).toFixed(2)} us a node an iteration more than by hand`)
}
