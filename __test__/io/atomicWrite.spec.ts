import test from 'ava'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atomicWrite, removeFiles, removeUnfinished } from '../../ts/io/index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function folder(t: { teardown(fn: () => Promise<void>): void }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'firn-io-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

test('a file is written, then replaced, and no temporary file stays', async (t) => {
  const at = await folder(t)
  const path = join(at, 'a.bin')
  await atomicWrite(path, bytes('one'))
  await atomicWrite(path, bytes('two'))
  t.is(await readFile(path, 'utf8'), 'two')
  t.deepEqual(await readdir(at), ['a.bin'])
})

test('writers at the same time leave one of their files, whole', async (t) => {
  const path = join(await folder(t), 'a.bin')
  const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100_000))
  await Promise.all(texts.map((text) => atomicWrite(path, bytes(text))))
  t.true(texts.includes(await readFile(path, 'utf8')))
})

test('a write that fails names the file, keeps what was there and leaves nothing else', async (t) => {
  const at = await folder(t)
  await t.throwsAsync(atomicWrite(join(at, 'no', 'such', 'a.bin'), bytes('x')), { code: 'io', message: /cannot write '.*a\.bin': ENOENT/ })
  // A file cannot replace a folder, so here it is the rename that fails.
  await mkdir(join(at, 'taken'))
  await t.throwsAsync(atomicWrite(join(at, 'taken'), bytes('x')), { code: 'io', message: /cannot write '.*taken'/ })
  t.deepEqual(await readdir(at), ['taken'])
})

test('parts follow one another', async (t) => {
  const path = join(await folder(t), 'a.bin')
  await atomicWrite(path, [bytes('one'), bytes(''), bytes('two')])
  t.is(await readFile(path, 'utf8'), 'onetwo')
})

test('what was left unfinished before this process is removed, and nothing else', async (t) => {
  const at = await folder(t)
  const old = ['.a.bin.1.tmp', '.b.bin.2.tmp', 'a.tmp', '.hidden']
  for (const name of [...old, '.c.bin.3.tmp']) await writeFile(join(at, name), 'part')
  for (const name of old) await utimes(join(at, name), 1, 1)
  await removeUnfinished(at)
  t.deepEqual((await readdir(at)).toSorted(), ['.c.bin.3.tmp', '.hidden', 'a.tmp'])
})

test.serial('what cannot be removed is warned of', async (t) => {
  const at = await folder(t)
  await mkdir(join(at, '.a.bin.1.tmp'))
  await utimes(join(at, '.a.bin.1.tmp'), 1, 1)
  const warnings: string[] = []
  const { warn } = console
  console.warn = (message: string) => void warnings.push(message)
  t.teardown(() => void (console.warn = warn))
  await removeUnfinished(at)
  t.is(warnings.length, 1)
  t.regex(warnings[0] ?? '', /cannot remove '.*\.a\.bin\.1\.tmp'/)
})

test('removing: a file that is not there is no mistake, one that stays is named', async (t) => {
  const at = await folder(t)
  await mkdir(join(at, 'taken'))
  await writeFile(join(at, 'a.bin'), '')
  await t.throwsAsync(removeFiles([join(at, 'gone'), join(at, 'a.bin'), join(at, 'taken')]), {
    code: 'io',
    message: /cannot remove '.*taken'/,
  })
  t.deepEqual(await readdir(at), ['taken'])
})
