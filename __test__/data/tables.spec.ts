import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { DataLoader, type Dataset } from '../../ts/data/index.ts'
import { csv, jsonl } from '../../ts/datasets/index.ts'
import { folder } from '../graph/toys.ts'

const all = <S>(dataset: Dataset<S>): S[] => Array.from({ length: dataset.length }, (_, i) => dataset.get(i))

const trees = 'name,width,kind,age,alive\n"An ""old"", one",1.5,oak,300,true\nb,-2e-3,fir,9007199254740993,0\n'
const columns = { width: 'float32', kind: ['fir', 'oak'], age: 'int64', alive: 'bool', name: 'string' } as const

test('columns have the values of their kinds, whatever their order in the file', async (t) => {
  t.deepEqual(all(await csv({ text: trees }, { columns })), [
    { width: 1.5, kind: 1n, age: 300n, alive: true, name: 'An "old", one' },
    { width: -0.002, kind: 0n, age: 9007199254740993n, alive: false, name: 'b' },
  ])
})

test('batches have the dtypes of their columns', async (t) => {
  for (const batch of new DataLoader({ dataset: await csv({ text: trees }, { columns }), batchSize: 2 })) {
    t.deepEqual([batch.width.dtype, batch.kind.dtype, batch.age.dtype, batch.alive.dtype], ['float32', 'int64', 'int64', 'bool'])
    t.deepEqual(batch.name, ['An "old", one', 'b'])
  }
})

test('tabs, no header, marks of byte order, line ends of Windows, empty lines', async (t) => {
  const text = '\uFEFFa\t1\r\n\r\nb c\t2\r\n'
  t.deepEqual(all(await csv({ text }, { columns: { x: 'string', n: 'int64' }, header: false, separator: '\t' })), [
    { x: 'a', n: 1n },
    { x: 'b c', n: 2n },
  ])
})

test('missing values are filled, or named', async (t) => {
  const text = 'a,b,c\n,x,1\nNA,,2\n3, ,\n'
  const options = { columns: { a: 'float32', b: 'string', c: 'int64' }, missing: ['', 'NA'], fill: { c: -1n } } as const
  t.deepEqual(all(await csv({ text }, options)), [
    { a: NaN, b: 'x', c: 1n },
    { a: NaN, b: '', c: 2n },
    { a: 3, b: ' ', c: -1n },
  ])
  await t.throwsAsync(csv({ text }, { columns: { c: 'int64' } }), { code: 'io', message: /line 4: 'c' is missing; give fill: \{ c/ })
})

for (const [text, message] of [
  ['a,n\n1,2\n3,four\n', /^csv: the text, line 3: 'n' is "four", expected a value of int64$/],
  ['a,n\n1,99999999999999999999\n', /line 2: 'n' is "99999999999999999999"/],
  ['a,n\n1,2,3\n', /line 2: /],
  ['a,n\n1,"2\n', /the text, line \d: Quote Not Closed/],
  ['n\n0x10\n', /line 2: 'n' is "0x10"/],
  [`n\n${'9'.repeat(100)}\n`, /'n' is "9{40}\.\.\."/],
] as const) {
  test(`a line that does not fit: ${JSON.stringify(text.slice(0, 30))}`, async (t) => {
    await t.throwsAsync(csv({ text }, { columns: { n: 'int64' } }), { code: 'io', message })
  })
}

test('schemas that do not fit are refused', async (t) => {
  const text = 'width,kind\n1,oak\n'
  await t.throwsAsync(csv({ text }, { columns: { with: 'float32' } }), {
    code: 'argument',
    message: /unknown column 'with'; did you mean 'width'/,
  })
  // @ts-expect-error no such kind
  await t.throwsAsync(csv({ text }, { columns: { width: 'float' } }), {
    code: 'argument',
    message: /unknown kind 'float'; did you mean 'float32'/,
  })
  await t.throwsAsync(csv({ text }, { columns: { kind: ['oak', 'oak'] } }), { code: 'argument', message: /2 words, 1 of them different/ })
  await t.throwsAsync(csv({ text }, { columns: { kind: ['fir'] } }), { code: 'io', message: /'kind' is "oak", expected one of fir/ })
  await t.throwsAsync(csv({ text }, { columns: {} }), { code: 'argument', message: /columns names none/ })
  // @ts-expect-error no such column
  await t.throwsAsync(csv({ text }, { columns: { width: 'float32' }, fill: { kind: 1 } }), {
    code: 'argument',
    message: /fill: unknown column 'kind'/,
  })
  await t.throwsAsync(csv(join(folder(t), 'none.csv'), { columns }), { code: 'io', message: /cannot read '.*none\.csv'/ })
})

test('JSON lines are parsed when they are asked for', (t) => {
  const lines = jsonl({ text: '\uFEFF{"a": [1, 2]}\n\n  \n"text"\r\n7' })
  t.deepEqual(all(lines), [{ a: [1, 2] }, 'text', 7])
  t.throws(() => lines.get(3), { code: 'argument', message: /no sample 3; there are 3/ })
})

test('lines that are no JSON are named with their number', (t) => {
  const path = join(folder(t), 'lines.jsonl')
  writeFileSync(path, `{"ok": 1}\n\n{"broken": \n${'['.repeat(200)}${']'.repeat(200)}\n{"text": "${'['.repeat(200)}"}\n`)
  const lines = jsonl(path)
  t.deepEqual(lines.get(0), { ok: 1 })
  t.throws(() => lines.get(1), { code: 'io', message: /lines\.jsonl', line 3: .* is no JSON/ })
  t.throws(() => lines.get(2), { code: 'io', message: /line 4: nested deeper than 64/ })
  t.deepEqual(Object.keys(lines.get(3) ?? {}), ['text'])
})

test('workers read the files, too', async (t) => {
  const path = join(folder(t), 'trees.csv')
  writeFileSync(path, trees)
  const dataset = await csv(path, { columns })
  const loader = new DataLoader({ dataset, batchSize: 2, workers: 1 })
  for await (const { age, name } of loader)
    t.deepEqual(
      [[...age.dataSync()], name],
      [
        [300n, 9007199254740993n],
        ['An "old", one', 'b'],
      ],
    )
  await loader.close()
})
