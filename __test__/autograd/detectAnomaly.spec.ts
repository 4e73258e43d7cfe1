// Anomaly mode: which op made a NaN, from which line, and in whose hook.
import test from 'ava'
import { detectAnomaly, HyperGraph, LossNode, ModuleNode, nn, Node, ones, optim, type Tensor, tensor, train } from '../../ts/index.ts'
import { folder } from '../graph/toys.ts'

const nan = (x: Tensor): Tensor => x.sqrt().mul(0).sum()
const leaf = (): Tensor => tensor([0, 1], { requiresGrad: true })

test.serial('it names op, shapes and line; outside of it nothing is searched', (t) => {
  nan(leaf()).backward()
  const error = t.throws(() => detectAnomaly(() => nan(leaf()).backward()), { code: 'autograd' })
  t.regex(error.message, /gradient of sqrt: what it gives for its input 0 holds NaN; its inputs: \[2\]; called/)
  t.regex(error.message, /detectAnomaly\.spec\.ts:\d+/)
  t.throws(() => detectAnomaly(() => leaf().sub(1).log(), { forward: true }), { message: /log: the result of shape \[2\] holds NaN/ })
  t.notThrows(() => nan(leaf()).backward())
})

test.serial('the line is found below containers of any depth, and none of it is of firn', (t) => {
  let module: nn.Module & { forward(x: Tensor): Tensor } = new nn.Sequential(new nn.Sigmoid())
  for (let i = 0; i < 20; i++) module = new nn.Sequential(module)
  const { message } = t.throws(() => detectAnomaly(() => module.forward(tensor([NaN], { requiresGrad: true })), { forward: true }))
  t.regex(message, /sigmoid: the result of shape \[1\] holds NaN; .*called\n +at .*detectAnomaly\.spec\.ts/)
  t.notRegex(message, /\/ts\/nn\//)
})

test.serial('a guard ends once, after those begun later; a function has to be synchronous', async (t) => {
  const [outer, inner] = [detectAnomaly(), detectAnomaly({ forward: true })]
  t.throws(() => outer[Symbol.dispose](), { code: 'autograd', message: /reverse order/ })
  inner[Symbol.dispose]()
  t.notThrows(() => leaf().sub(1).log())
  outer[Symbol.dispose]()
  outer[Symbol.dispose]()
  t.notThrows(() => nan(leaf()).backward())
  t.throws(() => detectAnomaly(async () => {}), { code: 'argument', message: /takes a synchronous function; use `using guard/ })
})

/** An encoder, and a head that may make a NaN gradient. The head reads the encoder lazily, and another node reads the head first. */
function graphOf(head: (x: Tensor) => Tensor) {
  const [one, two] = [new nn.Linear(2, 2), new nn.Linear(2, 2)]
  return new HyperGraph()
    .add('encoder', new ModuleNode({ module: one, forward: (n) => n.module.forward(ones([1, 2])), optimizers: optim.sgd({ lr: 0.1 }) }))
    .add('head', new ModuleNode({ module: two, forward: (n, x) => head(n.module.forward(x.encoder)), optimizers: optim.sgd({ lr: 0.1 }) }))
    .add('loss', new LossNode({ forward: (_, x) => x.head.sum() }))
}

test.serial('in a graph it names the node whose forward called the op, though the loss runs the backward', async (t) => {
  const graph = graphOf((x) => x.mul(0).sqrt().mul(0))
  const outDir = folder(t)
  using _ = detectAnomaly()
  const error = await t.throwsAsync(graph.run([train({ steps: 3, tags: 'x' })], { outDir }), { code: 'autograd' })
  const [first = '', by = '', at = ''] = (error?.message ?? '').split('\n')
  t.regex(
    first,
    /^node 'loss' in backward of 'train by steps, tags x', iteration 0: .*gradient of sqrt: .* holds NaN; its inputs: \[1, 2\]; called$/,
  )
  t.is(by, "    by node 'head' in forward of 'train by steps, tags x', iteration 0")
  t.regex(at, /detectAnomaly\.spec\.ts:\d+/)
})

test.serial('it names the node of an op called in backward or update, and nobody after the iteration', async (t) => {
  for (const phase of ['backward', 'update'] as const) {
    let made: Tensor | undefined
    const x = leaf()
    const graph = new HyperGraph()
      .add('odd', new Node({ [phase]: () => void (made = nan(x)) }))
      .add('other', new Node({ [phase]: () => made?.backward() }))
    using _ = detectAnomaly()
    await t.throwsAsync(graph.step(), {
      message: new RegExp(
        `^node 'other' in ${phase} .*gradient of sqrt.*\\n +by node 'odd' in ${phase} of 'train by steps, tags \\*', iteration 0\\n`,
        's',
      ),
    })
    t.notRegex(t.throws(() => nan(leaf()).backward()).message, /by node/)
  }
})

test.serial('with forward, the result that first holds a NaN is found in the node that made it', async (t) => {
  const graph = graphOf((x) => x.mul(0).sub(1).log())
  using _ = detectAnomaly({ forward: true })
  await t.throwsAsync(graph.step(), { code: 'autograd', message: /^node 'head' in forward .*log: the result of shape \[1, 2\] holds NaN/ })
})
