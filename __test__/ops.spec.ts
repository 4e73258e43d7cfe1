// Every op of the generated manifest against PyTorch's values and gradients, against difference quotients, and on views.
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { grad, gradCheck } from '../ts/autograd/index.ts'
import { tidy, type Tensor } from '../ts/tensor/index.ts'
import { closeTo, fixture, fromStored, isStored, type OpCase, type OpRow } from './helpers.ts'
import { argsOf, asView, call, facesFor, isDouble, leavesOf, replace, scalar, withGrad, type AnyTensor } from './opCalls.ts'

const manifest: readonly OpRow[] = JSON.parse(readFileSync(new URL('ops.gen.json', import.meta.url), 'utf8'))
const { ops, methods } = fixture('ops')
const rows = [...manifest, ...methods]

function expectOutputs(t: ExecutionContext, outputs: readonly AnyTensor[], { out, rtol = 1e-6 }: OpCase, what: string): void {
  const expected = isStored(out) ? [out] : out
  t.is(outputs.length, expected.length, `${what}: number of outputs`)
  for (const [k, want] of expected.entries()) {
    const got = outputs[k]
    if (got === undefined) continue
    t.deepEqual([...got.shape], [...want.shape], `${what}: shape`)
    t.is(got.dtype, want.dtype, `${what}: dtype`)
    closeTo(t, got, want.data, { rtol: want.dtype === 'float16' || want.dtype === 'bfloat16' ? 1e-2 : rtol }, what)
  }
}

function each(cases: readonly OpCase[], run: (entry: OpCase, what: string) => void): void {
  for (const [index, entry] of cases.entries()) {
    tidy(() => {
      run(entry, `case ${index} ${JSON.stringify(entry.args).slice(0, 300)}`)
    })
  }
}

for (const row of rows) {
  const cases = ops[row.name]
  if (row.check.kind === 'none') continue
  if (cases === undefined || cases.length === 0) {
    test(`${row.js}: has a fixture`, (t) => t.fail(`no cases for ${row.name}: npm run fixtures`))
    continue
  }

  test(`${row.js}: value, shape and dtype equal PyTorch's`, (t) => {
    each(cases, (entry, what) => {
      for (const face of facesFor(row, entry)) expectOutputs(t, call(row, face, argsOf(entry, fromStored)), entry, `${face} ${what}`)
    })
  })

  test(`${row.js}: takes views`, (t) => {
    each(cases, (entry, what) => {
      const face = facesFor(row, entry)[0]
      if (face !== undefined) expectOutputs(t, call(row, face, argsOf(entry, asView)), entry, what)
      else t.pass()
    })
  })

  const smooth = cases.filter(({ grad: first }) => first !== undefined)
  if (smooth.length === 0) continue

  test(`${row.js}: gradient equals PyTorch's`, (t) => {
    each(smooth, (entry, what) => {
      const args = argsOf(entry, (stored) => withGrad(fromStored(stored)))
      const face = facesFor(row, entry)[0]
      if (face === undefined || entry.grad === undefined) return
      const leaves = leavesOf(args, entry.grad)
      const found = grad(scalar(call(row, face, args)), leaves)
      expectGrads(t, found, entry.grad, entry.rtol, what)
    })
  })

  test(`${row.js}: gradient equals difference quotients in float64`, (t) => {
    each(smooth, (entry) => {
      const face = facesFor(row, entry)[0]
      t.pass()
      if (face === undefined || entry.grad === undefined || entry.edge) return
      const args = argsOf(entry, (stored) => fromStored(stored, stored.dtype.includes('float') ? 'float64' : stored.dtype))
      const names = Object.keys(entry.grad)
      const leaves = leavesOf(args, entry.grad).filter(isDouble)
      const fn = (...inputs: Tensor<'float64'>[]) => {
        const value = scalar(call(row, face, replace(args, names, inputs)))
        if (!isDouble(value)) throw new TypeError(`${row.js} of float64 gave ${value.dtype}`)
        return value
      }
      gradCheck(fn, leaves, { eps: 1e-6, atol: 1e-6, rtol: 1e-4 })
    })
  })

  test(`${row.js}: second gradient equals PyTorch's`, (t) => {
    each(smooth, (entry, what) => {
      const face = facesFor(row, entry)[0]
      t.pass()
      if (face === undefined || entry.grad === undefined || entry.grad2 === undefined) return
      const args = argsOf(entry, (stored) => withGrad(fromStored(stored)))
      const leaves = leavesOf(args, entry.grad)
      const first = grad(scalar(call(row, face, args)), leaves, { createGraph: true })
      // The zeros keep every leaf in the graph where the first gradient is constant.
      const total = leaves.reduce((sum, leaf) => sum.add(leaf.mul(0).sum()), scalar(first, 2))
      expectGrads(t, grad(total, leaves), entry.grad2, Math.max(entry.rtol ?? 0, 1e-5), what)
    })
  })
}

function expectGrads(
  t: ExecutionContext,
  found: readonly AnyTensor[],
  expected: NonNullable<OpCase['grad']>,
  rtol = 1e-5,
  what = '',
): void {
  const want = Object.entries(expected).flatMap(([name, group]) => group.map((data) => ({ name, data })))
  t.is(found.length, want.length, what)
  for (const [k, { name, data }] of want.entries()) {
    const got = found[k]
    if (got !== undefined) closeTo(t, got, data, { rtol: Math.max(rtol, 1e-5), atol: 1e-5 }, `gradient of ${name}, ${what}`)
  }
}
