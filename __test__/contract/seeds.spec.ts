// Every member of ice-learn's ModuleNode and Optimizer is here, in camelCase: what it gives before a run, in training and in evaluation.
import test from 'ava'
import { evaluate, GradScaler, HyperGraph, LossNode, ModuleNode, nn, optim, tensor, train } from '../../ts/index.ts'
import { folder, Weights } from '../graph/toys.ts'

const properties = [
  'board',
  'device',
  'epochSize',
  'epochSteps',
  'globalAutoSteps',
  'globalTrainEpochs',
  'globalTrainSteps',
  'gradAccSteps',
  'gradScaler',
  'launcher',
  'name',
  'outDir',
  'runId',
  'stepMode',
  'task',
  'training',
] as const
const methods = ['epochEnd', 'epochStart', 'forwardImpl', 'loadStateDict', 'prepare', 'stateDict', 'update'] as const

const weighted = () => {
  const node = new ModuleNode({ module: new Weights(), optimizers: { a: optim.sgd({ lr: 1 }) }, forward: (n) => n.module.forward() })
  return { node, graph: new HyperGraph().add('net', node).add('loss', new LossNode({ forward: (_, x) => x.net })) }
}

test('ModuleNode: every property is read only, and says that there is no run yet where a run is what it tells of', (t) => {
  const { node } = weighted()
  for (const property of properties) {
    t.false(Reflect.set(node, property, 1), `${property} cannot be set`)
    if (property === 'name') t.is(node.name, '')
    else if (property === 'training') t.false(node.training)
    else t.throws(() => node[property], { code: 'graph', message: /^ModuleNode: this node has not run yet/ }, property)
  }
  for (const method of methods) t.is(typeof node[method], 'function')
})

test('ModuleNode: every property in a run, and the defaults of what a graph sets', async (t) => {
  const { node, graph } = weighted()
  const seen: Record<string, unknown>[] = []
  graph.events.on('iterationEnd', () => void seen.push(Object.fromEntries(properties.map((property) => [property, node[property]]))))
  const { outDir } = await graph.run([train({ steps: 2 }), evaluate({ steps: 1 })], { outDir: folder(t), runId: 'seed' })
  const both = {
    device: 'cpu',
    epochSize: 0,
    globalTrainEpochs: 0,
    gradAccSteps: 1,
    gradScaler: null,
    launcher: { rank: 0, worldSize: 1 },
    name: 'net',
    outDir,
    runId: outDir.split(/[\\/]/).at(-1),
    stepMode: true,
  }
  t.like(seen[0], { ...both, training: true, globalAutoSteps: 1, globalTrainSteps: 1 })
  t.like(seen[1], { ...both, training: true, globalAutoSteps: 2, globalTrainSteps: 2 })
  t.like(seen[2], { ...both, training: false, globalAutoSteps: 1, globalTrainSteps: 2 })
})

test('ModuleNode: stateDict, loadStateDict(state, strict) and prepare pass a module and its optimizers on', async (t) => {
  const [from, to] = [weighted(), weighted()]
  await from.graph.step({ steps: 3 })
  t.deepEqual(to.node.loadStateDict(from.node.stateDict(), true), [])
  t.is(to.node.module.a.itemSync(), -2)
  await to.graph.step()
  t.is(to.node.optimizers.get('a')?.steps, 4)
  t.true(to.node.module.a.requiresGrad && to.node.module.training)
})

test('Optimizer: update(gradScaler, gradAccSteps, ...), stateDict(rank), loadStateDict(state)', (t) => {
  const make = () => {
    const w = tensor([1], { requiresGrad: true })
    return { w, bound: optim.adamW({ lr: 0.1 }).bind([w]) }
  }
  const [one, two] = [make(), make()]
  const counters = { currentEpoch: 0, epochSteps: 0, globalSteps: 0, epochSize: 4 }
  const step = ({ w, bound }: typeof one) => {
    const gradScaler = new GradScaler({ initScale: 4 })
    const kinds = [1, 2].map((gradient) => {
      gradScaler.scale(w.mul(gradient).sum()).backward()
      return bound.update({ gradScaler, gradAccSteps: 2, ...counters }).kind
    })
    t.deepEqual([kinds, w.grad], [['accumulating', 'stepped'], null])
    return w.itemSync()
  }
  step(one)
  two.bound.loadStateDict(one.bound.stateDict({ rank: 0 }))
  two.w.update(() => one.w.detach())
  t.is(step(two), step(one))
})

test('ModuleNode: everything but the module and the forward may be left out, and nothing trains', async (t) => {
  const module = new nn.Linear(1, 1)
  const graph = new HyperGraph().add('net', new ModuleNode({ module, forward: (n) => n.module.forward(tensor([[1]])) }))
  t.is((await graph.step()).net.requiresGrad, false)
  t.true(module.parameters().every(({ requiresGrad }) => !requiresGrad))
})
