// An optimizer's step alone: every rule fused against plain, over sets of parameters from few large to many small; in GB/s beside what
// memory gives. AdamW also with guards, in turn with itself without. `npm run bench -- optimizer`.
import { native } from '../ts/backend/index.ts'
import { GradScaler, nn, optim, tensor, type Tensor } from '../ts/index.ts'
import { isRule } from '../ts/optim/rule.ts'
import { rules } from '../ts/optim/rules.gen.ts'
import { measure, type Turns, type Work } from './measure.ts'
import { parameterSets, wave } from './peers/cases.ts'

type Shapes = readonly (readonly number[])[]

const names = Object.keys(rules).filter(isRule)
type Rule = (typeof names)[number]

/** Muon moves matrices only, by products that grow with the cube of their sides. */
const matrices: Readonly<Record<string, Shapes>> = { '12 x 512 x 512': Array.from({ length: 12 }, () => [512, 512]) }
const { '3 x 2.1 M': _, ...sets } = parameterSets

/** What has to be said for a rule to do all of its work. */
const options: Partial<Record<Rule, object>> = {
  sgd: { momentum: 0.9 },
  rmsProp: { momentum: 0.9, centered: true },
  lars: { momentum: 0.9, alwaysAdapt: true },
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** The values of the last set and their gradients: sines take longer than steps. */
let made: { readonly shapes: Shapes; readonly values: readonly Tensor[]; readonly grads: readonly Tensor[] } | undefined

function parameters(shapes: Shapes): { readonly params: readonly nn.Parameter[]; readonly grads: readonly Tensor[] } {
  if (made?.shapes !== shapes) {
    for (const each of [...(made?.values ?? []), ...(made?.grads ?? [])]) each.dispose()
    const waves = (scale: number, phase: number) => shapes.map((shape, k) => tensor(wave(sizeOf(shape), scale, k + phase), { shape }))
    made = { shapes, values: waves(1, 0), grads: waves(0.1, 0.5) }
  }
  const { values, grads } = made
  const params = values.map((value, k) => {
    const param = new nn.Parameter(value.clone())
    param.grad = grads[k] ?? null
    return param
  })
  return { params, grads }
}

function opened(rule: Rule, shapes: Shapes, given: object) {
  const { params } = parameters(shapes)
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
    ...(form === 'plain' && total > 1e7 && { samples: 3 }),
    amount: { unit: 'byte', count: total * traffic(rule, given) },
  }
}

/**
 * A window's end without guards, clipped by norm, and under a gradient scaler as well: unscaled and checked. All work on the same tensors,
 * and get the gradients that the window drops anew. The norm by itself is what guards cannot do without: it has to have read all gradients
 * before the first parameter moves.
 */
function guards(set: string, shapes: Shapes): Turns {
  const total = shapes.map(sizeOf).reduce((a, b) => a + b, 0)
  return {
    name: `adamW, ${set}, update`,
    forms: ['alone', 'clipped by norm', 'unscaled, checked, clipped by norm', 'the norm and no update'],
    repeat: total < 1e5 ? 100 : 1,
    open() {
      const { params, grads } = parameters(shapes)
      const alone = optim.adamW({ lr: 1e-3 }).bind(params)
      const clipped = optim.adamW({ lr: 1e-3, clipGradNorm: 1 }).bind(params)
      const gradScaler = new GradScaler({ initScale: 1024 })
      gradScaler.scale(tensor(1)).dispose()
      const handles = Uint32Array.from(params, ({ handle }) => handle)
      const again = () => params.forEach((param, k) => (param.grad = grads[k] ?? null))
      return {
        runs: [
          () => (alone.update(), again()),
          () => (clipped.update(), again()),
          () => (clipped.update({ gradScaler }), gradScaler.update(), again()),
          () => native.gradNorm(handles, 2),
        ],
        close() {
          for (const each of [alone, clipped, ...params]) each.dispose()
        },
      }
    },
  }
}

const bySet = Object.entries(sets).flatMap(([set, shapes]) => [
  ...names
    .filter((rule) => rule !== 'muon')
    .flatMap((rule) => [step(rule, set, shapes, 'fused', { fused: true }), step(rule, set, shapes, 'plain', { fused: false })]),
  step('adamW', set, shapes, 'fused, with an average', { average: optim.ema() }),
  guards(set, shapes),
])
const muon = Object.entries(matrices).flatMap(([set, shapes]) => [
  step('muon', set, shapes, 'fused', { fused: true }),
  step('muon', set, shapes, 'plain', { fused: false }),
])

const triad = native.memoryBandwidth(12 * 2 ** 24) / 1e9
console.log(`triad a = b + s * c over 3 x 67 MB: ${triad.toFixed(1)} GB/s`)
await measure('optimizer', [...bySet, ...muon], { triad })
