// A small training that logs watch: ten iterations an epoch.
import { DatasetNode, LossNode, ModuleNode, type Observer } from '../../ts/graph/index.ts'
import { type Optimizer, sgd } from '../../ts/optim/index.ts'
import { HyperGraph } from '../../ts/run/index.ts'
import { numbers, Weights } from '../graph/toys.ts'

/** The training, watched. */
export const toy = (observers: readonly Observer[], optimizers: Optimizer | Record<string, Optimizer> = sgd({ lr: 0.01 })) =>
  new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(20), batchSize: 2 }))
    .add('net', new ModuleNode({ module: new Weights(), optimizers, forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
    .observe(...observers)
