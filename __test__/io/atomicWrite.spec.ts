import test from 'ava'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atomicWrite } from '../../ts/io/index.ts'

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
