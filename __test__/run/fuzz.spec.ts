// Corrupt and hostile checkpoints: each loads, or is refused with a message; nothing crashes, hangs or takes memory.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import test from 'ava'
import { DatasetNode, LossNode, meter, MetricNode, ModuleNode } from '../../ts/graph/index.ts'
import { evaluate, FirnError, HyperGraph, memory, nn, optim, repeat, StopAllTasks, train } from '../../ts/index.ts'
import { dice, rounds } from '../fuzz.ts'
import { folder, numbers } from '../graph/toys.ts'

/** A run with an optimizer of its own state, a scale, a metric, a place within nested tasks and an open window. */
function program() {
  const graph = new HyperGraph()
    .add('data', new DatasetNode({ dataset: numbers(6), batchSize: 2, shuffle: true }))
    .add(
      'net',
      new ModuleNode({
        module: new nn.Linear(1, 2),
        forward: (n, x) => n.module.forward(x.data.x),
        optimizers: {
          weight: optim.adamW({ lr: optim.cosine({ from: 0.1, steps: 9 }), average: optim.ema() }),
          bias: optim.sgd({ lr: 0.1, momentum: 0.9 }),
        },
      }),
    )
    .add('loss', new LossNode({ forward: (_, x) => x.net.square().mean() }))
    .add('low', new MetricNode({ meter: meter.average(), forward: (_, x) => [x.loss], saveBest: { mode: 'min', on: 'train' } }))
    .gradScaler({ initScale: 4 })
    .accumulate(2)
  return { graph, tasks: [repeat(3, [train({ epochs: 2 }), evaluate({ epochs: 1 })])] }
}

type Dice = ReturnType<typeof dice>
type Mutable = { [key: string]: unknown }

const isRecord = (value: unknown): value is Mutable => typeof value === 'object' && value !== null

/** A file in its parts. */
function parse(bytes: Buffer): { header: Mutable; body: Buffer } {
  const length = Number(bytes.readBigUInt64LE(0))
  return { header: JSON.parse(bytes.toString('utf8', 8, 8 + length)), body: bytes.subarray(8 + length) }
}

/** A file of these parts with the right checksum, so that what is read after it gets to see them. */
function build(headerText: string, body: Buffer): Buffer {
  const text = Buffer.from(headerText.padEnd(headerText.length + ((8 - (Buffer.byteLength(headerText) % 8)) % 8)))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(text.length))
  const bytes = Buffer.concat([size, text, body])
  const key = '"crc32":"'
  const at = bytes.indexOf(key) + key.length
  if (at < key.length) return bytes
  bytes.write('00000000', at, 'latin1')
  bytes.write(crc32(bytes).toString(16).padStart(8, '0'), at, 'latin1')
  return bytes
}

const hostile = (roll: Dice): unknown => {
  const values: readonly unknown[] = [
    -1,
    0.5,
    1e308,
    -1e9,
    2 ** 53,
    2 ** 31,
    0,
    null,
    true,
    '',
    'text',
    '../../x',
    [],
    {},
    [[]],
    [1, 2, 3],
    { a: 1 },
    { $tensor: 'nowhere' },
    { $number: 'x' },
    { $number: 'NaN' },
    { $number: 'Infinity' },
    { $tensor: 3 },
    JSON.parse('{"__proto__": {"polluted": true}}'),
    JSON.parse('[{"constructor": 1}]'),
  ]
  return values[roll(values.length)]
}

/** Changes one place somewhere in the tree. */
function disturb(tree: Mutable, roll: Dice): void {
  let at = tree
  for (;;) {
    const keys = Object.keys(at)
    const key = keys[roll(keys.length)]
    if (key === undefined) return
    const below = at[key]
    if (isRecord(below) && Object.keys(below).length > 0 && roll(5) > 0) {
      at = below
      continue
    }
    const ways = [
      () => (at[key] = hostile(roll)),
      () => (at[key] = hostile(roll)),
      () => delete at[key],
      () => (at[keys[roll(keys.length)] ?? key] = below),
      () => {
        delete at[key]
        at[`${key}x`] = below
      },
    ]
    ways[roll(ways.length)]?.()
    return
  }
}

const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

/** A kind of damage: the bytes of a good file made bad. */
const damages: Readonly<Record<string, (good: Buffer, roll: Dice) => Buffer>> = {
  cut: (good, roll) => good.subarray(0, roll(good.length)),
  flipped: (good, roll) => {
    const bytes = Buffer.from(good)
    for (let i = roll(8); i >= 0; i--) {
      const at = roll(roll(2) === 0 ? 64 : bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << roll(8))
    }
    return bytes
  },
  'of another length': (good, roll) => {
    const bytes = Buffer.from(good)
    const lengths = [0n, 1n, 7n, BigInt(good.length), 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n, BigInt(roll(good.length))]
    bytes.writeBigUInt64LE(lengths[roll(lengths.length)] ?? 0n, 0)
    return bytes
  },
  spliced: (good, roll) => {
    const from = roll(good.length)
    return Buffer.concat([good.subarray(0, roll(good.length)), good.subarray(from, from + roll(300)), good.subarray(roll(good.length))])
  },
  'of other tensors': (good, roll) => {
    const { header, body } = parse(good)
    const { __metadata__, ...tensors } = header
    for (let i = roll(3); i >= 0; i--) disturb(tensors, roll)
    return build(JSON.stringify({ __metadata__, ...tensors }), body)
  },
  'with a name twice': (good, roll) => {
    const { header, body } = parse(good)
    const names = Object.keys(header)
    const name = names[roll(names.length)] ?? ''
    return build(`${JSON.stringify(header).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(header[name])}}`, body)
  },
  'of another state': (good, roll) => {
    const { header, body } = parse(good)
    const metadata = header['__metadata__']
    if (!isRecord(metadata)) return good
    const state: unknown = JSON.parse(String(metadata['state']))
    if (isRecord(state)) for (let i = roll(3); i >= 0; i--) disturb(state, roll)
    return build(JSON.stringify({ ...header, __metadata__: { ...metadata, state: JSON.stringify(state) } }), body)
  },
  'of other metadata': (good, roll) => {
    const { header, body } = parse(good)
    const metadata = header['__metadata__']
    if (!isRecord(metadata)) return good
    const states = [
      '',
      '{',
      'null',
      '3',
      '"x"',
      '{}',
      deep(200_000),
      `{"nodes":${deep(5000)},"run":{}}`,
      '{"nodes":{},"run":null}',
      '{"nodes":[],"run":[]}',
    ]
    const formats = ['firn-checkpoint-1', 'firn-checkpoint-2', 'firn-checkpoint-', 'pt']
    const format = formats[roll(formats.length)]
    return build(
      JSON.stringify({
        ...header,
        __metadata__: { ...metadata, format, state: roll(4) === 0 ? metadata['state'] : states[roll(states.length)] },
      }),
      body,
    )
  },
}

test.serial('each of many damaged and hostile checkpoints loads or is refused with a message', async (t) => {
  const outDir = folder(t)
  const first = program()
  let good = ''
  let left = 13
  first.graph.events.on('iterationEnd', async () => {
    if (--left === 0) good = await first.graph.saveCheckpoint({ to: 'good.safetensors' })
  })
  await first.graph.run(first.tasks, { outDir })
  const bytes = readFileSync(good)
  const kinds = Object.entries(damages)
  const path = join(outDir, 'bad.safetensors')
  const fates = { refused: 0, loaded: 0 }
  const faults: string[] = []
  console.warn = () => {}
  const before = memory().bytes
  const count = rounds(400)
  for (let seed = 0; seed < count; seed++) {
    const roll = dice(seed)
    const [kind, damage] = kinds[seed % kinds.length] ?? ['', () => bytes]
    writeFileSync(path, damage(bytes, roll))
    const { graph, tasks } = program()
    // What loads, loads as a whole: an iteration shows it.
    graph.events.on('iterationEnd', () => {
      throw new StopAllTasks()
    })
    try {
      await graph.run(tasks, { outDir, resumeFrom: path })
      fates.loaded++
    } catch (error) {
      fates.refused++
      if (!(error instanceof FirnError)) faults.push(`seed ${seed}, ${kind}: ${String(error instanceof Error ? error.stack : error)}`)
      else if (/panicked|unwrap|undefined|\[object/.test(error.message)) faults.push(`seed ${seed}, ${kind}: ${error.message}`)
    }
  }
  t.log(`${count} files: ${fates.refused} refused, ${fates.loaded} loaded`)
  t.deepEqual(faults, [])
  t.is(Object.prototype.hasOwnProperty.call(Object.prototype, 'polluted'), false)
  t.true(fates.refused > count / 2)
  t.true(fates.loaded > 0)
  globalThis.gc?.()
  t.true(memory().bytes < before + 2 ** 24)
})
