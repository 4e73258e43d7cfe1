// What editors show of a graph: the marks are read by types.spec.ts; compiled, never run.
import { DatasetNode, F, HyperGraph, LossNode, ModuleNode, nn, Node, TensorDataset } from 'firn-ml'

const dataset = new TensorDataset({
  x: { dtype: 'float32', shape: [1], data: new Float32Array(3) },
  y: { dtype: 'int64', shape: [], data: new BigInt64Array(3) },
})

const graph = new HyperGraph()
  .add('count', new Node({ forward: (_, /* first */ x) => Number(x) }))
  .add('data', new DatasetNode({ dataset }), { tags: 'train' })
  .add('net', new ModuleNode({ module: new nn.Linear(1, 2), forward: (n, /* third */ x) => n.module.forward(x.data.x) }))
  .add('loss', new LossNode({ forward: (_, /* loss */ x) => F.crossEntropy(x.net, x.data.y) }))
const /* cache */ x = await graph.step()
export { x }
