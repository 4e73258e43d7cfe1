import { copyFileSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { HyperGraph, ModuleNode, Node, readCheckpoint, repeat, saveCheckpoint, train } from '../../ts/index.ts'
import { LossNode } from '../../ts/graph/index.ts'
import { loadSafetensors } from '../../ts/io/index.ts'
import { adamW } from '../../ts/optim/index.ts'
import { memory } from '../../ts/tensor/index.ts'
import { folder, Weights } from '../graph/toys.ts'

function learning(module = new Weights()) {
  return new HyperGraph()
    .add('net', new ModuleNode({ module, optimizers: adamW({ lr: 0.1 }), forward: (n) => n.module.forward() }))
    .add('loss', new LossNode({ forward: (_, x) => x.net }))
}

async function saved(t: ExecutionContext): Promise<string> {
  const graph = learning()
  const { outDir } = await graph.run([train({ steps: 2 })], { outDir: folder(t) })
  return graph.saveCheckpoint({ to: join(outDir, 'it.safetensors') })
}

test('the default name tells epochs and steps; a relative path starts in ckpts', async (t) => {
  const graph = learning()
  const paths: string[] = []
  graph.events.on('checkpointSaved', ({ path, bytes }) => {
    paths.push(basename(path))
    t.is(readFileSync(path).length, bytes)
  })
  await graph.run([train({ steps: 2 }), saveCheckpoint(), saveCheckpoint({ to: 'best.safetensors' })], { outDir: folder(t) })
  t.deepEqual(paths, ['E0S2.safetensors', 'best.safetensors'])
})

test('a checkpoint is a safetensors file whose names tell what is what', async (t) => {
  const { tensors, metadata } = await loadSafetensors(await saved(t))
  t.deepEqual(
    Object.keys(tensors)
      .filter((name) => name.includes('/module/'))
      .toSorted(),
    ['nodes/*/net/module/a', 'nodes/*/net/module/b'],
  )
  t.true(Object.keys(tensors).includes('nodes/*/net/optimizers/.*/state/a/exp_avg'))
  t.is(metadata['format'], 'firn-checkpoint-1')
})

test('loadCheckpoint gives the nodes their states, and leaves the counters of the run alone', async (t) => {
  const from = await saved(t)
  const module = new Weights()
  const graph = learning(module)
  const seen: number[] = []
  graph.add('count', new Node({ forward: (n) => seen.push(n.globalTrainSteps) }))
  t.deepEqual(await graph.loadCheckpoint(from), [])
  t.true(module.a.itemSync() < 0.85)
  await graph.run([train({ steps: 1 })], { outDir: folder(t) })
  t.like(await graph.get('net').stateDict(), { optimizers: { '.*': { steps: 3 } } })
  t.deepEqual(seen, [1])
})

test.serial('saving and loading leave no tensors behind', async (t) => {
  const from = await saved(t)
  const graph = learning()
  await graph.step()
  const before = memory().handles
  await graph.saveCheckpoint({ to: join(folder(t), 'x.safetensors') })
  await graph.loadCheckpoint(from)
  t.true(memory().handles <= before)
})

test.serial('what does not fit is reported and warned of; strict, it is an error', async (t) => {
  const from = await saved(t)
  const warnings: string[] = []
  const warn = console.warn
  console.warn = (message: string) => void warnings.push(message)
  t.teardown(() => void (console.warn = warn))
  const graph = learning()
  graph.add('second', new ModuleNode({ module: new Weights(), forward: (n) => n.module.forward() }))
  const differences = ["node '*/second' is not in the checkpoint"]
  t.deepEqual(await graph.loadCheckpoint(from), differences)
  t.true(warnings[0]?.includes(differences[0] ?? '?'))
  await t.throwsAsync(graph.loadCheckpoint(from, { strict: true }), {
    code: 'graph',
    message: /node '\*\/second' is not in the checkpoint/,
  })
  t.deepEqual(await graph.loadCheckpoint(from, { tags: 'x', strict: false }), differences)
})

test('a module that nodes share is written once', async (t) => {
  const module = new Weights()
  const graph = new HyperGraph()
    .add('one', new ModuleNode({ module, forward: (n) => n.module.forward() }), { tags: 'a' })
    .add('two', new ModuleNode({ module, forward: (n) => n.module.forward() }), { tags: 'b' })
  const path = await graph.saveCheckpoint({ to: join(folder(t), 'x.safetensors') })
  const { tensors } = await loadSafetensors(path)
  t.deepEqual(Object.keys(tensors).toSorted(), ['nodes/a/one/module/a', 'nodes/a/one/module/b'])
  const other = new Weights()
  other.a.update((a) => a.mul(3))
  const loading = new HyperGraph().add('two', new ModuleNode({ module: other, forward: (n) => n.module.forward() }), { tags: 'b' })
  await loading.loadCheckpoint(path, { strict: true })
  t.is(other.a.itemSync(), 1)
})

for (const [what, harm] of [
  ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 3)],
  ['cut off in its header', (bytes: Buffer) => bytes.subarray(0, 20)],
  ['empty', () => Buffer.alloc(0)],
  ['changed in one bit', (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)))],
  ['another file', () => Buffer.from('{"not": "a checkpoint"}'.repeat(9))],
] as const) {
  test(`a file that is ${what} is refused`, async (t) => {
    const path = await saved(t)
    writeFileSync(path, harm(readFileSync(path)))
    await t.throwsAsync(learning().loadCheckpoint(path), {
      code: 'io',
      message: /no checkpoint in '.*it\.safetensors'\n {2}.*(checksum|not a checkpoint)/,
    })
  })
}

test.serial('of a folder the newest file is taken, and the one before it when that is damaged', async (t) => {
  const path = await saved(t)
  const ckpts = join(folder(t))
  const [old, young] = [join(ckpts, 'old.safetensors'), join(ckpts, 'young.safetensors')]
  for (const [i, copy] of [old, young].entries()) {
    copyFileSync(path, copy)
    utimesSync(copy, i + 1, i + 1)
  }
  const graph = learning()
  const loaded: string[] = []
  graph.events.on('checkpointLoaded', ({ path }) => void loaded.push(basename(path)))
  await graph.loadCheckpoint(ckpts)
  writeFileSync(young, 'torn')
  const warn = console.warn
  const warnings: string[] = []
  console.warn = (message: string) => void warnings.push(message)
  t.teardown(() => void (console.warn = warn))
  await graph.loadCheckpoint(ckpts)
  t.deepEqual(loaded, ['young.safetensors', 'old.safetensors'])
  t.regex(warnings[0] ?? '', /refused, trying the one before: .*young/)
})

test('outside of a run a relative path starts in the working directory', async (t) => {
  const path = join(relative('.', folder(t)), 'x.safetensors')
  t.is(await learning().saveCheckpoint({ to: path }), resolve(path))
  t.true(readFileSync(path).length > 0)
})

test('a path that leads nowhere is an error that names it', async (t) => {
  await t.throwsAsync(learning().loadCheckpoint('nowhere.safetensors'), {
    code: 'io',
    message: /cannot read the checkpoint 'nowhere\.safetensors'/,
  })
  await t.throwsAsync(learning().loadCheckpoint(folder(t)), { code: 'io', message: /no checkpoint in/ })
  await t.throwsAsync(learning().saveCheckpoint(), { code: 'argument', message: /no run has made a folder yet/ })
})

test('keep leaves the newest of those that the run saved so, and every other file', async (t) => {
  const outDir = folder(t)
  const save = saveCheckpoint({ keep: 2 })
  const run = await learning().run(
    [saveCheckpoint(), train({ steps: 1 }), saveCheckpoint({ to: 'mine.safetensors' }), save, save, repeat(3, [train({ steps: 1 }), save])],
    { outDir },
  )
  t.deepEqual(readdirSync(join(run.outDir, 'ckpts')).toSorted(), [
    'E0S0.safetensors',
    'E0S3.safetensors',
    'E0S4.safetensors',
    'mine.safetensors',
  ])
  t.throws(() => saveCheckpoint({ keep: 0 }), { code: 'argument', message: /keep 0, expected a whole number from 1/ })
  t.throws(() => saveCheckpoint({ keep: 2, to: 'x' }), { code: 'argument', message: /leave one out/ })
})

test('readCheckpoint gives what was saved; a later format is refused as such', async (t) => {
  const path = await saved(t)
  const { state } = await readCheckpoint(path)
  t.deepEqual(Object.keys(state ?? {}), ['nodes', 'run'])
  const text = readFileSync(path, 'latin1')
    .replace('firn-checkpoint-1', 'firn-checkpoint-2')
    .replace(/"crc32":"[0-9a-f]{8}"/, '"crc32":"00000000"')
  const sum = crc32(Buffer.from(text, 'latin1')).toString(16).padStart(8, '0')
  writeFileSync(path, text.replace('"crc32":"00000000"', `"crc32":"${sum}"`), 'latin1')
  await t.throwsAsync(readCheckpoint(path), { code: 'io', message: /format 2 of checkpoints, this firn reads up to 1; use a newer firn/ })
})
