// Corrupt and hostile data files: each loads, or fails with a FirnError; none crashes, hangs, or takes memory without bounds.
// FIRN_FUZZ_SEED says which.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { encode } from 'fast-png'
import jpeg from 'jpeg-js'
import { DataLoader, type Dataset, fromArray, SampleRandom } from '../../ts/data/index.ts'
import { csv, imageFolder, jsonl, readIdx } from '../../ts/datasets/index.ts'
import { FirnError } from '../../ts/errors.ts'
import { tensorScope } from '../../ts/tensor/index.ts'
import { rounds } from '../fuzz.ts'
import { folder } from '../graph/toys.ts'

const count = rounds(30)
const seed = Number(process.env['FIRN_FUZZ_SEED'] ?? 1)

// What one file may take: far above what it needs, far below what a size taken from a damaged header would ask for. The process as a
// whole holds more, as collectors and allocators keep what thousands of files left.
const maxBytes = 2 ** 29
const maxMs = 20_000

type Random = SampleRandom

/** Changes a file: bits, pieces, sizes, ends. */
function damaged(file: Uint8Array, random: Random): Uint8Array {
  const bytes = new Uint8Array(file)
  const at = random.below(Math.max(1, bytes.length))
  switch (random.below(8)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      for (let i = 0; i <= random.below(8); i++) bytes[random.below(bytes.length)] = random.below(256)
      return bytes
    case 2:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
      return bytes
    // A size that is as large as it can be.
    case 3:
      bytes.fill(255, at, at + 4)
      return bytes
    case 4:
      bytes.fill(0, at, at + 1 + random.below(16))
      return bytes
    case 5:
      return Buffer.concat([bytes, bytes.subarray(at), Uint8Array.from({ length: random.below(64) }, () => random.below(256))])
    case 6:
      bytes.copyWithin(random.below(bytes.length), at, at + random.below(64))
      return bytes
    default:
      return Uint8Array.from({ length: random.below(300) }, () => random.below(256))
  }
}

/** Text that no table or line expects. */
function hostileText(random: Random): string {
  const pieces = [
    '"',
    ',',
    '\n',
    '\r\n',
    '\t',
    '[',
    '{"a":',
    '\0',
    '\u2028',
    '\uFEFF',
    '9'.repeat(400),
    '1e999',
    '-',
    'NaN',
    '__proto__',
    'x'.repeat(100_000),
    '{"$":"tensor"}',
  ]
  const deep = random.below(4) === 0 ? '['.repeat(1 + random.below(200_000)) : ''
  return `n,word\n${Array.from({ length: random.below(40) }, () => pieces[random.below(pieces.length)]).join('')}${deep}\n1,a`
}

/** Everything of a dataset, as a loader asks for it. */
function readAll(dataset: Dataset): void {
  using _ = tensorScope()
  for (let i = 0; i < Math.min(dataset.length, 50); i++) dataset.get(i)
}

interface Kind {
  /** A file that loads. */
  readonly whole: (random: Random) => Uint8Array
  readonly load: (path: string) => unknown
}

const idxFile = (random: Random): Uint8Array => {
  const [rows, columns] = [1 + random.below(6), 1 + random.below(6)]
  return Buffer.concat([Uint8Array.of(0, 0, 8, 2, 0, 0, 0, rows, 0, 0, 0, columns), new Uint8Array(rows * columns)])
}

const image = (random: Random) => ({ width: 1 + random.below(20), height: 1 + random.below(20) })

const kinds: Readonly<Record<string, Kind>> = {
  idx: { whole: idxFile, load: readIdx },
  'idx.gz': { whole: (random) => gzipSync(idxFile(random)), load: readIdx },
  csv: {
    whole: () => Buffer.from('n,word\n1.5,a\n2,"b ""quoted"""\n,c\n'),
    load: async (path) => readAll(await csv(path, { columns: { n: 'float32', word: 'string' } })),
  },
  tsv: {
    whole: () => Buffer.from('n\tword\n1\tfir\n2\toak\n'),
    load: async (path) => readAll(await csv(path, { columns: { n: 'int64', word: ['fir', 'oak'] }, separator: '\t' })),
  },
  jsonl: { whole: () => Buffer.from('{"a": [1, 2, {"b": "text"}]}\n"x"\n-1.5e3\n'), load: (path) => readAll(jsonl(path)) },
  png: {
    whole: (random) => {
      const { width, height } = image(random)
      return encode({ width, height, channels: 3, data: Uint8Array.from({ length: width * height * 3 }, () => random.below(256)) })
    },
    load: async (path) => readAll(await imageFolder(dirname(dirname(path)))),
  },
  jpg: {
    whole: (random) => {
      const { width, height } = image(random)
      return jpeg.encode({ width, height, data: Uint8Array.from({ length: width * height * 4 }, () => random.below(256)) }, 80).data
    },
    load: async (path) => readAll(await imageFolder(dirname(dirname(path)), { maxPixels: 1e6 })),
  },
}

/** Loads a file; true when it loaded, false when it was refused as it should be. */
async function attempt(t: ExecutionContext, what: string, load: () => unknown): Promise<boolean> {
  const [began, { rss: before }] = [performance.now(), process.memoryUsage()]
  let loaded = true
  try {
    await load()
  } catch (error) {
    loaded = false
    if (!(error instanceof FirnError)) t.fail(`${what}: ${String(error)}`)
  }
  const [ms, more] = [performance.now() - began, process.memoryUsage().rss - before]
  if (ms > maxMs) t.fail(`${what}: ${ms} ms`)
  if (more > maxBytes) t.fail(`${what}: ${more} bytes more than before`)
  return loaded
}

for (const [k, [kind, { whole, load }]] of Object.entries(kinds).entries()) {
  test.serial(`damaged ${kind} files load or are refused`, async (t) => {
    const path = join(folder(t), 'class', `file.${kind}`)
    mkdirSync(dirname(path))
    const outcomes = { loaded: 0, refused: 0 }
    for (let i = 0; i < count; i++) {
      const random = new SampleRandom({ seed, epoch: k }, i)
      const hostile = /csv|tsv|jsonl/.test(kind) && random.chance(0.3)
      writeFileSync(path, hostile ? hostileText(random) : damaged(whole(random), random))
      outcomes[(await attempt(t, `${kind} ${i} of seed ${seed}`, () => load(path))) ? 'loaded' : 'refused'] += 1
    }
    writeFileSync(path, whole(new SampleRandom({ seed, epoch: k }, 0)))
    t.true(await attempt(t, 'a whole file', () => load(path)))
    t.log(outcomes)
    t.true(outcomes.refused > 0)
  })
}

test.serial('damaged entries of a cache are made again', async (t) => {
  const path = folder(t)
  const dataset = fromArray(Array.from({ length: 10 }, (_, n) => ({ n, list: Float32Array.of(n, n + 1), name: `sample ${n}` })))
  const read = () =>
    Array.from(new DataLoader({ dataset, batchSize: 5, cache: { folder: path } }), ({ n, list, name }) => [
      n.toArraySync(),
      list.toArraySync(),
      name,
    ])
  const expected = read()
  const files = globSync('**/*.sample', { cwd: path }).map((name) => join(path, name))
  const { warn } = console
  console.warn = () => {}
  t.teardown(() => (console.warn = warn))
  for (let i = 0; i < count / 10; i++) {
    for (const [at, file] of files.entries()) {
      const random = new SampleRandom({ seed, epoch: 99 }, i * files.length + at)
      writeFileSync(file, damaged(readFileSync(file), random))
    }
    t.true(await attempt(t, `cache ${i} of seed ${seed}`, () => t.deepEqual(read(), expected)))
  }
})
