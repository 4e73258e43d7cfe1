// What examples of the documentation take for granted: a model, its optimizer, a graph over small data; and a folder for their files.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import * as firn from '../ts/index.ts'
import { DataLoader, DatasetNode, F, HyperGraph, LossNode, ModuleNode, nn, ones, optim, TensorDataset, type Tensor } from '../ts/index.ts'

class Net extends nn.Module {
  readonly fc = new nn.Linear(2, 3)
  forward(x: Tensor): Tensor {
    return this.fc.forward(x.flatten(1)).logSoftmax(-1)
  }
}

class Block extends nn.Module {
  readonly fc = new nn.Linear(2, 2)
  forward(x: Tensor): Tensor {
    return this.fc.forward(x)
  }
}

/** Six points and their classes, under the names of mnist's fields. */
function points() {
  return new TensorDataset({
    image: { dtype: 'float32', shape: [2], data: Float32Array.from({ length: 12 }, (_, i) => i / 12) },
    label: { dtype: 'int64', shape: [], data: BigInt64Array.from({ length: 6 }, (_, i) => BigInt(i % 3)) },
  })
}

/** A graph with mnist, net and loss, but those that the code adds itself. */
function graphFor(code: string): unknown {
  const graph = new HyperGraph()
    .add('mnist', new DatasetNode({ dataset: points(), batchSize: 2 }))
    .add(
      'net',
      new ModuleNode({ module: new Net(), forward: (n, x) => n.module.forward(x.mnist.image), optimizers: optim.sgd({ lr: 0.1 }) }),
    )
    .add('loss', new LossNode({ forward: (_, x) => F.nllLoss(x.net, x.mnist.label) }))
  for (const name of ['mnist', 'net', 'loss']) {
    if (code.includes(`.add('${name}'`)) graph.remove(name)
  }
  return graph
}

/** What stands behind each name; made once for an example, so that `loss` and `opt` are of one `model`. */
function makers(code: string): Readonly<Record<string, () => unknown>> {
  const model = new Net()
  return {
    Block: () => Block,
    conv: () => new nn.Conv2d(1, 2, { kernel: 3 }),
    graph: () => graphFor(code),
    layer: () => new nn.Linear(3, 2),
    loader: () => new DataLoader({ dataset: points(), batchSize: 2 }),
    loss: () => model.forward(ones([1, 2])).sum(),
    mnist: () => points,
    model: () => model,
    Net: () => Net,
    norm: () => new nn.BatchNorm2d(2),
    opt: () => optim.sgd({ lr: 0.1 }).bind(model),
    z: () => z,
  }
}

/** firn's exports, and the other names that an example uses. */
export function given(lines: readonly string[]): Record<string, unknown> {
  const code = lines.join('\n')
  const used = Object.entries(makers(code)).filter(([name]) => new RegExp(`\\b${name}\\b`).test(code))
  return { ...firn, console: { log: () => {} }, ...Object.fromEntries(used.map(([name, make]) => [name, make()])) }
}

/** Runs `fn` with an empty folder as the working folder, which goes away afterwards. */
export async function inFolder<T>(fn: () => Promise<T>): Promise<T> {
  const before = process.cwd()
  const folder = mkdtempSync(join(tmpdir(), 'firn-docs-'))
  process.chdir(folder)
  try {
    return await fn()
  } finally {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  }
}
