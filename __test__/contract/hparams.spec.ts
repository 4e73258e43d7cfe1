// Hyper-parameters: what the command line says, as the schema types it, and where a run keeps it.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { z } from 'zod'
import { hparams, train } from '../../ts/index.ts'
import { folder, logged } from '../graph/toys.ts'

const schema = z.object({
  data: z.string().default('mnist').describe('where the samples are'),
  lr: z.number().positive().default(0.001),
  optimizer: z.enum(['adam', 'sgd']).default('adam'),
  amp: z.boolean().default(false),
  sizes: z.array(z.int()).default([64]),
  crop: z.tuple([z.int(), z.int()]).optional(),
  warmup: z
    .union([z.number(), z.literal('auto')])
    .nullable()
    .default(null),
})

const defaults = { data: 'mnist', lr: 0.001, optimizer: 'adam', amp: false, sizes: [64], warmup: null }
const parse = (...argv: string[]) => hparams(schema, { argv })

test.serial('key=value is typed by the schema; defaults stand for the rest', (t) => {
  t.deepEqual(parse(), defaults)
  const { lr, optimizer, crop } = parse('lr=1e-2', '--optimizer=sgd', 'crop=24,32')
  const typed: [number, 'adam' | 'sgd', [number, number] | undefined] = [lr, optimizer, crop]
  t.deepEqual(typed, [0.01, 'sgd', [24, 32]])
  t.is(parse('data=a=b').data, 'a=b')
  t.is(parse('data=10').data, '10')
})

for (const [words, value] of [
  [['y', 'yes', 't', 'true', 'on', '1', 'Yes'], true],
  [['n', 'no', 'f', 'false', 'off', '0', 'F'], false],
] as const) {
  for (const word of words) test.serial(`amp=${word} is ${value}`, (t) => t.is(parse(`amp=${word}`).amp, value))
}

for (const [text, value] of [
  ['1,2', [1, 2]],
  ['[1, 2]', [1, 2]],
  ['[1,2', null],
  ['7', [7]],
  ['', []],
] as const) {
  test.serial(`the list sizes=${text} is ${JSON.stringify(value) ?? 'an error'}`, (t) => {
    if (value === null) t.throws(() => parse(`sizes=${text}`), { code: 'argument', message: /^hparams: sizes=\[1,2: .*expected array/ })
    else t.deepEqual(parse(`sizes=${text}`).sizes, [...value])
  })
}

test.serial('of several types the one that fits is taken', (t) => {
  t.deepEqual(
    ['5', 'auto', 'none'].map((text) => parse(`warmup=${text}`).warmup),
    [5, 'auto', null],
  )
})

test.serial('words without a = go to the positional parameters; a list at the end takes the rest', (t) => {
  const given = hparams(schema, { argv: ['cifar', 'lr=1', '8', '16'], positional: ['data', 'sizes'] })
  t.deepEqual([given.data, given.lr, given.sizes], ['cifar', 1, [8, 16]])
  t.is(hparams(schema, { argv: [], positional: ['data'] }).data, 'mnist')
  t.throws(() => parse('cifar'), { code: 'argument', message: "hparams: 'cifar' belongs to no parameter; write name=cifar" })
  t.throws(() => hparams(schema, { argv: ['x', 'data=y'], positional: ['data'] }), { code: 'argument', message: /'data' is given twice/ })
  t.throws(() => hparams(schema, { argv: [], positional: ['date'] }), { code: 'argument', message: /did you mean 'data'/ })
})

test.serial('unknown, wrong and missing parameters are errors that name the nearest', (t) => {
  t.throws(() => parse('optimiser=sgd'), { code: 'argument', message: /unknown parameter 'optimiser'; did you mean 'optimizer'\?/ })
  t.throws(() => parse('optimizer=adma'), { code: 'argument', message: /^hparams: optimizer=adma: .*did you mean 'adam'\?$/ })
  t.throws(() => parse('lr=fast'), { code: 'argument', message: /^hparams: lr=fast: .*expected number/ })
  t.throws(() => parse('lr='), { code: 'argument', message: /^hparams: lr=: .*expected number/ })
  t.throws(() => parse('lr=-1', 'amp=maybe'), { code: 'argument', message: /lr=-1: [^\n]*\n.*amp=maybe: / })
  t.throws(() => parse('lr=1', 'lr=2'), { code: 'argument', message: "hparams: 'lr' is given twice; the second time as '2'" })
  t.throws(() => parse('--amp'), { code: 'argument', message: /'--amp' has no value; write amp=value/ })
  t.throws(() => hparams(z.object({ lr: z.number() }), { argv: [] }), { message: "hparams: 'lr' is missing; write lr=value" })
})

test.serial('they are logged with the runs that follow, beside the command line, versions, seed and options', async (t) => {
  parse('lr=0.5', 'crop=1,2')
  const graph = logged([], 'A')
  const seen: unknown[] = []
  graph.events.on('runStart', (info) => void seen.push(info.hparams))
  const { outDir } = await graph.run([train({ steps: 1 })], { outDir: folder(t), seed: 3 })
  const expected = { ...defaults, lr: 0.5, crop: [1, 2] }
  t.deepEqual(seen, [expected])
  const record = JSON.parse(readFileSync(join(outDir, 'run.json'), 'utf8'))
  t.like(record, { seed: 3, hparams: expected, command: process.argv, cwd: process.cwd(), options: { seed: 3 } })
  t.is(record.versions.node, process.versions.node)
  t.regex(record.versions.firn, /^\d+\.\d+\.\d+/)
})

test.serial('--help prints a table and ends the process', async (t) => {
  const script = fileURLToPath(new URL('../run/helped.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'unknown=1', '--help'])
  t.deepEqual(stdout.trimEnd().split('\n'), [
    '  [data=]     string           required        where the samples are',
    '  lr=         number           default 0.001',
    '  optimizer=  adam|sgd         default "adam"',
    '  sizes=      integer,...      default [64]',
    '  crop=       integer,integer',
  ])
})
