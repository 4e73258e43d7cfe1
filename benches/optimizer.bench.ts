// An optimizer's step alone: every rule fused against plain, over sets of parameters from few large to many small; in GB/s beside what
// memory gives. `npm run bench -- optimizer`.
import { native } from '../ts/backend/index.ts'
import { nn, optim, tensor } from '../ts/index.ts'
import { isRule } from '../ts/optim/rule.ts'
import { rules } from '../ts/optim/rules.gen.ts'
import { measure, type Work } from './measure.ts'
import { parameterSets, wave } from './peers/cases.ts'

type Shapes = readonly (readonly number[])[]

const names = Object.keys(rules).filter(isRule)
type Rule = (typeof names)[number]

/** Muon moves matrices only, by products that grow with the cube of their sides. */
const matrices: Readonly<Record<string, Shapes>> = { '12 x 512 x 512': Array.from({ length: 12 }, () => [512, 512]) }
const { '3 x 2.1 M': _, ...sets } = parameterSets

/** What has to be said for a rule to do all of its work. */
const options: Partial<Record<Rule, object>> = { sgd: { momentum: 0.9 }, rmsProp: { momentum: 0.9, centered: true } }

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

function opened(rule: Rule, shapes: Shapes, given: object) {
  const params = shapes.map((shape, k) => {
    const param = new nn.Parameter(tensor(wave(sizeOf(shape), 1, k), { shape }))
    param.grad = tensor(wave(sizeOf(shape), 0.1, k + 0.5), { shape })
    return param
  })
  const opt = new optim.Optimizer(rule, { ...options[rule], lr: 1e-3, ...given }).bind(params)
  return {
    opt,
    run: () => opt.step(),
    close() {
      opt.dispose()
      for (const param of params) param.dispose()
    },
  }
}

const width = { float64: 8, float32: 4, int64: 8, int32: 4, float16: 2, bfloat16: 2, int16: 2, int8: 1, uint8: 1, bool: 1 } as const

/** Bytes that one pass moves: a gradient read; a parameter and its state read and written. */
function traffic(rule: Rule, given: object): number {
  const shapes: Shapes = [[64, 64]]
  const { opt, run, close } = opened(rule, shapes, given)
  run()
  const state = Object.values(opt.stateDict().state).flatMap((slots) => Object.values(slots))
  const remembered = state.filter(({ size }) => size > 1).reduce((sum, { size, dtype }) => sum + size * width[dtype], 0)
  close()
  return (12 * 4096 + 2 * remembered) / 4096
}

function step(rule: Rule, set: string, shapes: Shapes, form: string, given: object): Work {
  const total = shapes.map(sizeOf).reduce((a, b) => a + b, 0)
  return {
    name: `${rule}, ${set}, ${form}`,
    open: () => opened(rule, shapes, given),
    repeat: total < 1e5 ? 100 : 1,
    budget: 250,
    amount: { unit: 'byte', count: total * (traffic(rule, given) + ('clipGradNorm' in given ? 4 : 0)) },
  }
}

const works = names.flatMap((rule) =>
  Object.entries(rule === 'muon' ? matrices : sets).flatMap(([set, shapes]) => [
    step(rule, set, shapes, 'fused', { fused: true }),
    step(rule, set, shapes, 'plain', { fused: false }),
  ]),
)
const beside = Object.entries(sets).flatMap(([set, shapes]) => [
  step('adamW', set, shapes, 'fused, clipped by norm', { clipGradNorm: 1 }),
  step('adamW', set, shapes, 'fused, with an average', { average: optim.ema() }),
])

const triad = native.memoryBandwidth(12 * 2 ** 24) / 1e9
console.log(`triad a = b + s * c over 3 x 67 MB: ${triad.toFixed(1)} GB/s`)
await measure('optimizer', [...works, ...beside], { triad })
