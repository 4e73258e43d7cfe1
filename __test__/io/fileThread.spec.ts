// Files written by another thread, with their checksum; files of any size read back.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { checksum, type FileParts, readWhole, writeInThread } from '../../ts/io/index.ts'

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'firn-io-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

const parts = (byteLength: number, modified = new Date()): FileParts => ({
  header: Uint8Array.from(Buffer.from('sum 00000000')),
  checksumAt: 4,
  memory: Uint8Array.from({ length: 64 }, (_, i) => i).buffer,
  byteLength,
  modified,
})

test('header and as much of the memory as is asked for, with the checksum of both; the memory comes back', async (t) => {
  const path = join(folder(t), 'file')
  const memory = await writeInThread(path, parts(10, new Date(1e12)))
  const bytes = readFileSync(path)
  t.is(bytes.toString('latin1', 0, 4), 'sum ')
  t.deepEqual([...bytes.subarray(12)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.is(statSync(path).mtimeMs, 1e12)
  t.is(memory.byteLength, 64)
  const zeroed = Buffer.concat([Buffer.from('sum 00000000'), bytes.subarray(12)])
  t.is(bytes.toString('latin1', 4, 12), crc32(zeroed).toString(16).padStart(8, '0'))
})

test('what is handed over is gone here', async (t) => {
  const file = parts(10)
  const written = writeInThread(join(folder(t), 'file'), file)
  t.deepEqual([file.memory.byteLength, file.header.length], [0, 0])
  await written
})

test('many at once: each is whole, and one that fails fails alone, with its name', async (t) => {
  const path = folder(t)
  const names = Array.from({ length: 8 }, (_, i) => `${i}.bin`)
  const [failed] = await Promise.all([
    t.throwsAsync(writeInThread(join(path, 'no', 'such.bin'), parts(3))),
    ...names.map((name, i) => writeInThread(join(path, name), parts(i))),
  ])
  t.like(failed, { code: 'io' })
  t.regex(failed?.message ?? '', /cannot write '.*no.such\.bin': ENOENT/)
  t.deepEqual(readdirSync(path).toSorted(), names)
  for (const [i, name] of names.entries()) t.is(statSync(join(path, name)).size, 12 + i)
})

test('a checksum is that of all parts after one another, in eight digits', (t) => {
  const bytes = Buffer.from('some bytes to sum up')
  t.is(checksum(bytes.subarray(0, 7), bytes.subarray(7)), crc32(bytes).toString(16).padStart(8, '0'))
  t.is(checksum(), '00000000')
})

test('a file is read whole, an empty one too', async (t) => {
  const path = join(folder(t), 'file')
  await writeInThread(path, parts(20))
  t.deepEqual(Buffer.from(await readWhole(path)), readFileSync(path))
  writeFileSync(path, '')
  t.deepEqual(await readWhole(path), new Uint8Array(0))
  await t.throwsAsync(readWhole(`${path}.gone`), { code: 'ENOENT' })
})
