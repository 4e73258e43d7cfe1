// The ops of `large` made ready to run in firn.
import * as firn from '../ts/index.ts'
import type { Tensor } from '../ts/index.ts'
import { scattered, wave } from './peers/cases.ts'
import { large, type Made } from './peers/large.ts'

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** A step of an op and what frees its inputs; nothing is left of a step. */
export function openLarge(name: string): { readonly step: () => void; readonly close: () => void } {
  const work = large[name]
  if (work === undefined) throw new Error(`there is no large case '${name}'`)
  const { inputs, run, grad = false } = work
  const floats = (shape: readonly number[] = [1], phase: number): Tensor => {
    const made = firn.tensor(wave(count(shape), 1, phase), { shape })
    made.requiresGrad = grad
    return made
  }
  const { i = { shape: [1], below: 1 }, m = [1] } = inputs
  const truths = firn.tensor(wave(count(m), 1, 4), { shape: m })
  const made: Made = {
    x: floats(inputs.x, 0),
    y: floats(inputs.y, 1),
    w: floats(inputs.w, 2),
    b: floats(inputs.b, 3),
    i: firn.tensor(BigInt64Array.from(scattered(count(i.shape), i.below), BigInt), { shape: i.shape }),
    m: truths.gt(0),
  }
  truths.dispose()
  const leaves = [made.x, made.y, made.w, made.b]
  const step = () => {
    using _step = firn.tensorScope()
    const out = run(made, firn)
    if (!grad) return
    if (!(out instanceof firn.Tensor)) throw new Error(`'${name}' gives no tensor to go back from`)
    out.sum().backward()
    for (const leaf of leaves) leaf.grad = null
  }
  return { step, close: () => Object.values(made).forEach((x: Tensor<firn.DType>) => x.dispose()) }
}
