// Every op of docs/autocast.md under autocast: dtypes and values are PyTorch's; and no op fails under it that does not without.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { autocast } from '../../ts/autograd/index.ts'
import { tidy } from '../../ts/tensor/index.ts'
import { closeTo, fixture, fromStored, type OpRow, type StoredTensor } from '../helpers.ts'
import { type AnyTensor, argsOf, call, facesFor } from '../opCalls.ts'

const manifest: readonly OpRow[] = JSON.parse(readFileSync(new URL('../ops.gen.json', import.meta.url), 'utf8'))
const { ops: cases } = fixture('ops')
const { ops: entries } = fixture('autocast')

const isHalf = (dtype: string): boolean => dtype === 'bfloat16' || dtype === 'float16'

/** A stored tensor, if it holds float32 as another floating point dtype. */
function as(stored: StoredTensor, dtype: 'float32' | 'bfloat16'): AnyTensor {
  const tensor = fromStored(stored)
  return stored.dtype === 'float32' ? tensor.to(dtype) : tensor
}

for (const row of manifest) {
  const own = entries.filter(({ op }) => op === row.name)
  if (own.length === 0) continue
  test(`${row.js}: dtype and values under autocast`, (t) => {
    for (const { of, given, out } of own) {
      tidy(() => {
        const entry = cases[row.name]?.[of]
        const face = entry && facesFor(row, entry)[0]
        if (entry === undefined || face === undefined) return t.fail(`no case ${of}`)
        const outputs = autocast(() =>
          call(
            row,
            face,
            argsOf(entry, (stored) => as(stored, given)),
          ),
        )
        const what = `case ${of}, ${given}`
        t.deepEqual(
          outputs.map(({ dtype }) => dtype),
          out.map(({ dtype }) => dtype),
          what,
        )
        for (const [k, want] of out.entries()) {
          // What is computed from bfloat16 may be rounded at other places.
          const rtol = isHalf(want.dtype) ? 2e-2 : 2e-5
          const largest = Math.max(...want.data.map((x) => Math.abs(Number(x))))
          closeTo(t, outputs[k] ?? [], want.data, { rtol, atol: rtol * largest }, what)
        }
      })
    }
  })
}

test('no op fails under autocast that does not without', (t) => {
  const failures: string[] = []
  for (const row of manifest) {
    for (const [index, entry] of (row.check.kind === 'none' ? [] : (cases[row.name] ?? [])).entries()) {
      const face = facesFor(row, entry)[0]
      if (face === undefined) continue
      const run = (): unknown => tidy(() => call(row, face, argsOf(entry, fromStored)).length)
      try {
        autocast(run)
      } catch (error) {
        failures.push(`${row.js}, case ${index}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  t.deepEqual(failures, [])
})
