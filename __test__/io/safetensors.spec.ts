import test from 'ava'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeSafetensors, encodeSafetensors, loadSafetensors, saveSafetensors } from '../../ts/io/index.ts'
import { arange, type DType, memory, ones, type Tensor, tensor, tidy, zeros } from '../../ts/tensor/index.ts'
import { native } from '../../ts/backend/index.ts'
import { closeTo, fixture, fixturePath } from '../helpers.ts'

async function file(t: { teardown(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'firn-io-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return join(folder, 'model.safetensors')
}

const dtypes: DType[] = ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool']

test('every dtype and shape comes back bit by bit, under its name', async (t) => {
  const path = await file(t)
  const saved = {
    ...Object.fromEntries(dtypes.map((dtype) => [dtype, ones([2, 3], { dtype })])),
    scalar: tensor(0.1),
    empty: zeros([0, 3]),
    'snö.weight': tensor([NaN, Infinity, -0]),
  }
  await saveSafetensors(path, saved)
  const { tensors, metadata } = await loadSafetensors(path)
  t.deepEqual(Object.keys(tensors).toSorted(), Object.keys(saved).toSorted())
  for (const [name, value] of Object.entries<Tensor<DType>>(saved)) {
    t.is(tensors[name]?.dtype, value.dtype)
    t.deepEqual(tensors[name]?.shape, value.shape)
    t.deepEqual(tensors[name]?.dataSync(), value.dataSync(), name)
  }
  t.deepEqual(metadata, {})
})

test('metadata comes back', async (t) => {
  const path = await file(t)
  const metadata = { epoch: '3', note: 'line\nbreak "quoted" ✓' }
  await saveSafetensors(path, { w: ones([1]) }, { metadata })
  t.deepEqual((await loadSafetensors(path)).metadata, metadata)
})

for (const { file: name, metadata, tensors } of fixture('nn').safetensors) {
  test(`${name}, written from Python, is read in full`, async (t) => {
    const found = await loadSafetensors(fixturePath(name))
    t.deepEqual(found.metadata, metadata)
    t.deepEqual(Object.keys(found.tensors).toSorted(), Object.keys(tensors).toSorted())
    for (const [key, { dtype, shape, data }] of Object.entries(tensors)) {
      t.is(found.tensors[key]?.dtype, dtype)
      t.deepEqual(found.tensors[key]?.shape, shape)
      closeTo(t, found.tensors[key]?.to('float64').dataSync() ?? [], data, { rtol: 0, atol: 0 }, key)
    }
  })
}

test.serial('a damaged, cut or missing file is an error that names it', async (t) => {
  const path = await file(t)
  await t.throwsAsync(loadSafetensors(path), { code: 'io', message: /cannot load '.*model\.safetensors': ENOENT/ })
  await saveSafetensors(path, { w: ones([100]) })
  const bytes = await readFile(path)
  const before = memory().tensors
  for (const damaged of [
    bytes.subarray(0, 40),
    bytes.subarray(0, bytes.length - 1),
    bytes.subarray(1),
    Buffer.alloc(0),
    Buffer.from('not a model'),
  ]) {
    await writeFile(path, damaged)
    await t.throwsAsync(loadSafetensors(path), { code: 'io', message: /cannot load '.*model\.safetensors': / })
  }
  t.is(memory().tensors, before)
})

test('a failed save leaves the file that was there', async (t) => {
  const path = await file(t)
  await saveSafetensors(path, { w: ones([1]) })
  const gone = ones([1])
  gone.dispose()
  await t.throwsAsync(saveSafetensors(path, { w: gone }), { code: 'disposed' })
  t.is((await loadSafetensors(path)).tensors['w']?.itemSync(), 1)
})

test('bytes in memory: what is saved are the values at the time of the call', (t) => {
  const w = ones([2])
  const bytes = encodeSafetensors({ w }, { a: 'b' })
  w.assign(zeros([2]))
  const { tensors, metadata } = decodeSafetensors(bytes)
  t.deepEqual(Array.from(tensors['w']?.dataSync() ?? [], Number), [1, 1])
  t.deepEqual(metadata, { a: 'b' })
})

test("files have the bytes that the format's own writer gives them", (t) => {
  const tensors = Object.fromEntries(
    dtypes.flatMap((dtype) => [`b/${dtype}`, `a ✓ ${dtype}`].map((name, i) => [name, ones([3 - i, 1 + i], { dtype })])),
  )
  const all = { ...tensors, none: zeros([0, 2]), one: zeros([]), 'turned"': arange(0, 6).reshape([2, 3]).transpose(0, 1) }
  for (const metadata of [{}, { note: 'line\nbreak "quoted" ✓' }]) {
    const handles = Uint32Array.from(Object.values(all), ({ handle }) => handle)
    t.deepEqual(
      encodeSafetensors(all, metadata),
      Uint8Array.from(native.safetensorsEncode(Object.keys(all), handles, JSON.stringify(metadata))),
    )
  }
})

test.serial('what was loaded belongs to the scope it was loaded in', (t) => {
  const bytes = encodeSafetensors({ w: ones([2]) })
  const before = memory().tensors
  tidy(() => {
    decodeSafetensors(bytes)
  })
  t.is(memory().tensors, before)
})

test('unknown options are refused', async (t) => {
  await t.throwsAsync(saveSafetensors('x', {}, Object.assign({ metadata: {} }, { meta: 1 })), { code: 'argument', message: /meta/ })
})
