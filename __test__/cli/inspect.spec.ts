// `firn inspect`, as a person types it.
import { mkdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { HyperGraph, LossNode, ModuleNode, nn, optim, saveCheckpoint, saveSafetensors, tensor, train } from '../../ts/index.ts'
import { folder } from '../graph/toys.ts'
import { root, run } from '../package/shell.ts'

const firn = (...args: string[]) => run(process.execPath, [join(root, 'ts/cli/main.ts'), ...args], { cwd: root, env: { NO_COLOR: '1' } })

test('a checkpoint: where the run stands, what its nodes keep, what trains and how', async (t) => {
  const graph = new HyperGraph()
    .add(
      'net',
      new ModuleNode({
        module: new nn.Linear(2, 3),
        forward: (n) => n.module.forward(tensor([[1, 2]])),
        optimizers: { weight: optim.adamW({ lr: optim.linear({ from: 0.1, to: 0.05, steps: 10 }) }), bias: optim.sgd({ lr: 0.5 }) },
      }),
    )
    .add('loss', new LossNode({ forward: (_, x) => x.net.square().mean() }))
  const { outDir } = await graph.run([train({ steps: 4 }), saveCheckpoint()], { outDir: folder(t), seed: 5 })
  const { code, stdout } = await firn('inspect', outDir)
  t.is(code, 0)
  for (const part of [
    /E0S4\.safetensors/,
    /trained +0 epochs, 4 iterations/,
    /seed +5/,
    /\*\/net +2 tensors of 9 numbers/,
    /weight  adamW, 4 updates: 1 tensor at 0\.08 \(linear\)/,
    /bias    sgd, 4 updates: 1 tensor at 0\.5$/m,
  ])
    t.regex(stdout, part)
  const { stdout: json } = await firn('inspect', '--json', outDir)
  const { run: summary, nodes } = JSON.parse(json)
  t.like(summary, { seed: 5, trainIterations: 4, lossScale: null })
  t.like(nodes['*/net'].optimizers[0], { pattern: 'weight', rule: 'adamW', updates: 4, waiting: 0 })
})

test('any safetensors file: its tensors', async (t) => {
  const path = join(folder(t), 'model.safetensors')
  await saveSafetensors(path, { w: tensor([[1, 2]]), 'n\u001b[2J\n': tensor([3n]) })
  const { code, stdout } = await firn('inspect', path)
  t.is(code, 0)
  t.regex(stdout, /2 tensors of 3 numbers \(float32, int64\)/)
  t.regex(stdout, /^w   float32 \[1, 2\]$/m)
  t.regex(stdout, /^n\?  int64 \[1\]$/m)
})

test('what is damaged or missing ends with status 1, a command line that is wrong with 2, and both say why', async (t) => {
  const path = join(folder(t), 'model.safetensors')
  await saveSafetensors(path, { w: tensor([[1, 2]]) })
  truncateSync(path, 40)
  const runs = folder(t)
  mkdirSync(join(runs, 'first', 'ckpts'), { recursive: true })
  for (const [args, status, message] of [
    [[path], 1, /^firn inspect: no checkpoint in .*not a checkpoint, or it was cut off$/s],
    [['/nowhere'], 1, /^firn inspect: there is no file or folder '\/nowhere'$/],
    [[runs], 1, /no checkpoint in '.*'; name one of the runs in it:\n {2}.*first$/],
    [[], 2, /^firn inspect: expected <path>, got nothing$/m],
    [[path, 'other'], 2, /^firn inspect: expected <path>, got '.*', 'other'$/m],
    [[path, '--jsn'], 2, /^firn inspect: unknown option '--jsn'; did you mean '--json'\?/],
    [[path, '--json=no'], 2, /^firn inspect: --json takes no value, got 'no'$/m],
  ] as const) {
    const { code, output } = await firn('inspect', ...args)
    t.is(code, status)
    t.regex(output.trim(), message)
  }
})
