import test from 'ava'
import { Optimizer } from '../../ts/optim/index.ts'
import { closeTo, fixture, fromStored } from '../helpers.ts'
import { gradient } from './torchCases.ts'

const { start, snapshots, traces } = fixture('optim')

for (const { rule, name, dtype, options, params: expected, state, start: own } of traces) {
  for (const fused of [true, false]) {
    test(`${rule} ${name}, ${dtype}, ${fused ? 'fused' : 'plain'}: 50 steps equal PyTorch’s`, (t) => {
      const double = dtype === 'float64'
      const tolerance = double ? { rtol: 1e-12, atol: 1e-12 } : { rtol: 5e-6, atol: 2e-6 }
      const params = (own ?? start).map((value) => fromStored(value, dtype))
      for (const param of params) param.requiresGrad = true
      using opt = new Optimizer(rule, { ...options, fused }).bind(params)
      for (let step = 1; step <= 50; step++) {
        for (const [k, param] of params.entries()) param.grad = gradient(step, k, param)
        opt.step()
        const at = snapshots.indexOf(step)
        if (at >= 0)
          for (const [k, param] of params.entries()) closeTo(t, param, expected[at]?.[k] ?? [], tolerance, `step ${step}, parameter ${k}`)
      }
      const saved = opt.stateDict().state
      for (const [slot, values] of Object.entries(state)) {
        for (const [k, value] of values.entries()) {
          const want = value ?? []
          const largest = Math.max(...want.map((x) => Math.abs(Number(x))))
          closeTo(
            t,
            saved[k]?.[slot]?.dataSync() ?? [],
            want,
            double ? tolerance : { rtol: 5e-6, atol: 1e-6 * largest },
            `${slot} of parameter ${k}`,
          )
        }
      }
    })
  }
}
