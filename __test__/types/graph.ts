// What the compiler accepts and refuses of a graph; compiled, never run.
import { DatasetNode, F, HyperGraph, LossNode, meter, MetricNode, ModuleNode, nn, Node, optim, type Tensor, train } from 'firn-ml'
import { mnist } from 'firn-ml/datasets'

class Net extends nn.Module {
  readonly fc = new nn.Linear(784, 10)
  forward(x: Tensor): Tensor {
    return this.fc.forward(x.flatten(1)).logSoftmax(-1)
  }
}

const data = new HyperGraph()
  .add('mnist', new DatasetNode({ dataset: mnist({ split: 'train' }), batchSize: 100, shuffle: true }), { tags: 'train' })
  .add('mnist', new DatasetNode({ dataset: mnist({ split: 'test' }), batchSize: 100 }), { tags: 'val' })
const graph = data.add(
  'net',
  new ModuleNode({
    module: new Net(),
    forward: (n, x) => n.module.forward(x.mnist.image),
    optimizers: { '^fc': optim.adamW({ lr: 1e-3 }) },
  }),
)

// Outputs have the types that nodes gave them.
const whole = graph
  .add('loss', new LossNode({ forward: (_, x) => F.nllLoss(x.net, x.mnist.label) }))
  .add('accuracy', new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.mnist.label] }))
  .add(
    'half',
    new Node({ factor: 0.5, forward: (n, x) => x.loss.mul(n.factor), epochEnd: async (n) => n.board.metric('factor', n.factor) }),
  )
  .add('count', new Node({ forward: () => 3 }))
  .add('silent', new Node({ update: (n) => void n.epochSteps }))
const out = await whole.step({ tags: 'train' })
out.mnist.image satisfies Tensor<'float32'>
out.mnist.label satisfies Tensor<'int64'>
out.half satisfies Tensor
out.count satisfies number
out.silent satisfies undefined
out.get('count') satisfies number
out.get('added in a loop') satisfies unknown
const both: Tensor = out.accuracy[0]

// Several meters take a record of their inputs.
whole.add(
  'scores',
  new MetricNode({
    meter: meter.dict({ loss: meter.average(), accuracy: meter.accuracy() }),
    forward: (_, x) => [{ loss: [x.loss], accuracy: [x.net, x.mnist.label] }],
  }),
)

// A misspelt node.
// @ts-expect-error Property 'mnits' does not exist
data.add('net', new ModuleNode({ module: new Net(), forward: (n, x) => n.module.forward(x.mnits.image) }))

// A wrong dtype: labels are int64, images are not.
// @ts-expect-error Type '"float32"' is not assignable to type '"int64"'
graph.add('loss', new LossNode({ forward: (_, x) => F.nllLoss(x.net, x.mnist.image) }))
// @ts-expect-error Type '"float32"' is not assignable to type '"int64"'
graph.add('accuracy', new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.net] }))

// Epochs and steps at once, or neither.
// @ts-expect-error Types of property 'steps' are incompatible
train({ epochs: 1, steps: 2 })
// @ts-expect-error Property 'steps' is missing
train({ tags: 'train' })

// The same name with another output type.
// @ts-expect-error Type 'number' is not assignable to type 'Tensor<"float32">'
graph.add('net', new Node({ forward: () => 3 }))
// @ts-expect-error Property 'label' is missing in type '{ image: number; }'
graph.add('mnist', new Node({ forward: () => ({ image: 3 }) }))

// The same output under other tags, but with another dtype of a field.
// @ts-expect-error Type '"float32"' is not assignable to type '"int64"'
graph.add('mnist', new Node({ forward: (_, x) => ({ image: x.mnist.image, label: x.mnist.image }) }), { tags: 'other' })

// Reading a node that is added later.
// @ts-expect-error Property 'net' does not exist
data.add('early', new Node({ forward: (_, x) => x.net })).add('net', new Node({ forward: () => 1 }))

// A loss that is no tensor, an unknown resource, a hook that is no function, an unknown option of add.
// @ts-expect-error Type 'number' is not assignable to type 'Loss'
graph.add('loss', new LossNode({ forward: () => 3 }))
// @ts-expect-error Property 'scael' does not exist
graph.add('other', new Node({ scale: 3, forward: (n) => n.scael }))
// @ts-expect-error Type 'string' is not assignable to type '(node: Node
graph.add('other', new Node({ update: 'now' }))
// @ts-expect-error 'tag' does not exist in type '{ readonly tags?: Tags; }'
graph.add('other', new Node({}), { tag: 'train' })

export { both }

// Names known only at run time add nothing to the type; what a type knows stays.
declare const word: string
const loose = graph.add(word, new Node({ forward: () => 1 }))
const { net } = await loose.step()
net satisfies Tensor
loose.add('more', new Node({ forward: (_, x) => [x.net, x.get<number>(word)] as const }))
// @ts-expect-error Property 'other' does not exist
loose.add('more', new Node({ forward: (_, x) => x.other }))

// A probe of a node that is not there.
graph.probe(['mnist', 'net'], { every: 100 })
// @ts-expect-error Type '"nett"' is not assignable
graph.probe(['nett'])

// Any graph, as an argument.
export const describe = <Outputs extends object>(any: HyperGraph<Outputs>): string => any.explain('train')
describe(graph)

// Outputs cannot be written.
// @ts-expect-error Cannot assign to 'net' because it is a read-only property
graph.add('write', new Node({ forward: (_, x) => (x.net = x.mnist.image) }))
