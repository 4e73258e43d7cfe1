// An optimizer's step alone: fused against plain, over sets of parameters from few large to many small.
import { nn, optim, tensor } from '../ts/index.ts'
import { measure, type Work } from './measure.ts'
import { parameterSets, wave } from './peers/cases.ts'

// Bytes that one pass moves for a parameter: reads and writes of value, gradient and state.
const rules = {
  'sgd momentum': { bytes: 20, make: (fused: boolean) => optim.sgd({ lr: 1e-3, momentum: 0.9, fused }) },
  adamW: { bytes: 28, make: (fused: boolean) => optim.adamW({ lr: 1e-3, fused }) },
  'adamW + clip': { bytes: 32, make: (fused: boolean) => optim.adamW({ lr: 1e-3, clipGradNorm: 1, fused }) },
}

function step(rule: keyof typeof rules, set: string, fused: boolean): Work {
  const shapes = parameterSets[set] ?? []
  const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1))
  const open = () => {
    const params = shapes.map((shape, k) => {
      const param = new nn.Parameter(tensor(wave(sizes[k] ?? 0, 1, k), { shape }))
      param.grad = tensor(wave(sizes[k] ?? 0, 0.1, k + 0.5), { shape })
      return param
    })
    const opt = rules[rule].make(fused).bind(params)
    return { run: () => opt.step(), close: () => params.forEach((param) => param.dispose()) }
  }
  const total = sizes.reduce((a, b) => a + b, 0)
  return {
    name: `${rule}, ${set}, ${fused ? 'fused' : 'plain'}`,
    open,
    repeat: total < 1e5 ? 100 : 1,
    amount: { unit: 'byte', count: total * rules[rule].bytes },
  }
}

const works = Object.keys(parameterSets).flatMap((set) => [
  step('adamW', set, true),
  step('adamW', set, false),
  step('sgd momentum', set, true),
  step('adamW + clip', set, true),
])
await measure('optimizer', works)
