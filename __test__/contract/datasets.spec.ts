// What datasets promise as nodes of a graph.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Dataset, fromArray, fromModule, mapped } from '../../ts/data/index.ts'
import { DatasetNode, LossNode, ModuleNode, Node } from '../../ts/graph/index.ts'
import { Dropout, F, Linear, Module } from '../../ts/nn/index.ts'
import { adamW } from '../../ts/optim/index.ts'
import { evaluate, HyperGraph, train } from '../../ts/run/index.ts'
import { seed, type Tensor } from '../../ts/tensor/index.ts'
import type noisy from '../data/noisyData.ts'
import { folder, numbers } from '../graph/toys.ts'

class Net extends Module {
  readonly drop = new Dropout(0.3)
  readonly fc = new Linear(5, 1)
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.drop.forward(x)).flatten(0)
  }
}

/** What an iteration saw: its images, to the last bit, and its loss. */
type Trace = (readonly [image: string, loss: number])[]

async function program(workers: number, options: { readonly iterationsPerEpoch?: number } = {}) {
  seed(1)
  const trace: Trace = []
  const dataset = await fromModule<typeof noisy>(new URL('../data/noisyData.ts', import.meta.url), { count: 11 })
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset, batchSize: 2, shuffle: true, ...(workers > 0 ? { workers } : {}), ...options }))
    .add('net', new ModuleNode({ module: new Net(), forward: (n, x) => n.module.forward(x.data.image), optimizers: adamW({ lr: 0.05 }) }))
    .add('loss', new LossNode({ forward: (_, x) => F.mseLoss(x.net, x.data.noise) }))
    .add(
      'trace',
      new Node({ forward: (_, x) => trace.push([Buffer.from(x.data.image.dataSync().buffer).toString('hex'), x.loss.itemSync()]) }),
    )
  return { graph, trace, tasks: [train({ epochs: 2 }), train({ steps: 4 }), train({ epochs: 1 })] }
}

test.serial('workers: shuffled, augmented batches and the losses are bit by bit those without workers', async (t) => {
  const runs = [await program(0), await program(2)]
  for (const { graph, tasks } of runs) await graph.run(tasks, { outDir: folder(t), seed: 5 })
  t.is(runs[0]?.trace.length, 22)
  t.deepEqual(runs[1]?.trace, runs[0]?.trace)
})

for (const options of [{}, { iterationsPerEpoch: 4 }]) {
  test.serial(
    `resume with shuffle and 2 workers ${JSON.stringify(options)}: batches and losses go on bit by bit from any iteration`,
    async (t) => {
      const whole = await program(2, options)
      const saves: { path: string; at: number }[] = []
      whole.graph.events.on('iterationEnd', async () => {
        const at = whole.trace.length
        if (at % 3 === 1) saves.push({ at, path: await whole.graph.saveCheckpoint({ to: `after${at}.safetensors` }) })
      })
      await whole.graph.run(whole.tasks, { outDir: folder(t), seed: 5 })
      t.true(saves.length > 5)
      for (const { path, at } of saves) {
        const rest = await program(2, options)
        await rest.graph.run(rest.tasks, { outDir: folder(t), resumeFrom: path })
        t.deepEqual(rest.trace, whole.trace.slice(at), path)
      }
    },
  )
}
