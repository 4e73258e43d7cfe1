import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { readIdx } from '../../ts/datasets/index.ts'
import { folder } from '../graph/toys.ts'

/** A file of a type, sizes and bytes. */
function written(t: ExecutionContext, type: number, sizes: readonly number[], bytes: Uint8Array, pack = (file: Buffer) => file): string {
  const header = Buffer.alloc(4 + 4 * sizes.length)
  header.writeUInt32BE(type * 256 + sizes.length)
  for (const [i, size] of sizes.entries()) header.writeUInt32BE(size, 4 + 4 * i)
  const path = join(folder(t), 'file-idx')
  writeFileSync(path, pack(Buffer.concat([header, bytes])))
  return path
}

const doubles = Buffer.alloc(16)
doubles.writeDoubleBE(Math.PI)
doubles.writeDoubleBE(-0.5, 8)
const floats = Buffer.alloc(8)
floats.writeFloatBE(1.5)
floats.writeFloatBE(-2, 4)

for (const [dtype, type, bytes, values] of [
  ['uint8', 0x08, Uint8Array.of(1, 255), [1, 255]],
  ['int8', 0x09, Uint8Array.of(1, 255), [1, -1]],
  ['int16', 0x0b, Uint8Array.of(1, 2, 255, 254), [258, -2]],
  ['int32', 0x0c, Uint8Array.of(0, 0, 1, 2, 255, 255, 255, 254), [258, -2]],
  ['float32', 0x0d, floats, [1.5, -2]],
  ['float64', 0x0e, doubles, [Math.PI, -0.5]],
] as const) {
  test(`elements of ${dtype}, plain and gzipped`, (t) => {
    for (const pack of [(file: Buffer) => file, gzipSync]) {
      const found = readIdx(written(t, type, [2, 1], bytes, pack))
      t.deepEqual([found.dtype, found.shape], [dtype, [2, 1]])
      t.deepEqual(Array.from(found.data), [...values])
    }
  })
}

test('what is missing or damaged is refused, with the path', (t) => {
  t.throws(() => readIdx(join(folder(t), 'none')), { code: 'io', message: /cannot read '.*none'/ })
  for (const [path, message] of [
    [written(t, 0x0a, [1], Uint8Array.of(1)), /two zeros and a type/],
    [written(t, 0x08, [3], Uint8Array.of(1)), /header says 11 bytes, it has 9/],
    [written(t, 0x08, [1], Uint8Array.of(1, 2)), /header says 9 bytes, it has 10/],
    [written(t, 0x08, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], Uint8Array.of(1)), /header says 7\.9/],
    [
      written(t, 0x08, [], Uint8Array.of(), (file) => Buffer.concat([file.subarray(0, 3), Buffer.of(200)])),
      /header of 200 sizes is cut off/,
    ],
    [written(t, 0x08, [4], new Uint8Array(1e6), gzipSync), /cannot be unpacked to what its header says/],
    [written(t, 0x08, [4], Uint8Array.of(1, 2, 3, 4), (file) => gzipSync(file).subarray(0, 20)), /cannot be unpacked|is damaged/],
  ] as const)
    t.throws(() => readIdx(path), { code: 'io', message })
})
