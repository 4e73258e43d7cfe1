import test from 'ava'
import { DataLoader } from '../../ts/data/index.ts'
import { textWindows } from '../../ts/datasets/index.ts'

test('windows of characters, each with what comes next', (t) => {
  const windows = textWindows('abcabcd', { length: 3 })
  t.deepEqual([windows.length, windows.vocabulary, windows.vocabularySize], [2, ['a', 'b', 'c', 'd'], 4])
  const { input, target } = windows.batch([1, 0])
  t.deepEqual([input.dtype, target.dtype], ['int64', 'int64'])
  t.deepEqual(input.toArraySync(), [
    [0, 1, 2],
    [0, 1, 2],
  ])
  t.deepEqual(target.toArraySync(), [
    [1, 2, 3],
    [1, 2, 0],
  ])
  t.is(textWindows('abcabcd', { length: 3, stride: 1 }).length, 4)
  t.is(textWindows('abcd', { length: 3, stride: 9 }).length, 1)
})

test('bytes, and characters beyond 16 bits', (t) => {
  const bytes = textWindows('é€', { length: 4, level: 'byte' })
  t.deepEqual(bytes.get(0).input.toArraySync(), [0xc3, 0xa9, 0xe2, 0x82])
  t.is(bytes.decode(bytes.encode('é€')), 'é€')
  const chars = textWindows('a😀b', { length: 2 })
  t.deepEqual(chars.vocabulary, ['a', 'b', '😀'])
  t.is(chars.decode(chars.get(0).target.dataSync()), '😀b')
})

test('a text is read by the vocabulary of another', (t) => {
  const { vocabulary } = textWindows('abcd', { length: 1 })
  t.deepEqual(textWindows('dad', { length: 2, vocabulary }).get(0).input.toArraySync(), [3, 0])
  t.throws(() => textWindows('dax', { length: 2, vocabulary }), {
    code: 'argument',
    message: /character "x" is not in the vocabulary of 4/,
  })
})

test('in workers', async (t) => {
  const loader = new DataLoader({ dataset: textWindows('to be or not to be', { length: 4 }), batchSize: 2, workers: 1 })
  const seen: unknown[] = []
  for await (const { input } of loader) seen.push(input.toArraySync())
  await loader.close()
  t.deepEqual(
    seen,
    Array.from(new DataLoader({ dataset: loader.dataset, batchSize: 2 }), ({ input }) => input.toArraySync()),
  )
})

test('what is wrong is refused', (t) => {
  t.throws(() => textWindows('abc', { length: 3 }), { code: 'argument', message: /3 characters or bytes, expected more than .* 3/ })
  t.throws(() => textWindows('abc', { length: 0 }), { code: 'argument', message: /length 0/ })
  // @ts-expect-error no such level
  t.throws(() => textWindows('abc', { length: 1, level: 'word' }), { code: 'argument', message: /"word", expected 'char' or 'byte'/ })
  t.throws(() => textWindows('abc', { length: 1, level: 'byte', vocabulary: ['a'] }), { code: 'argument', message: /leave it out/ })
  const windows = textWindows('abc', { length: 1 })
  t.throws(() => windows.get(2), { code: 'argument', message: /no sample 2; there are 2/ })
  t.throws(() => windows.decode([3]), { code: 'argument', message: /3 stands for nothing/ })
})
