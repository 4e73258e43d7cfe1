import test from 'ava'
import { Optimizer } from '../../ts/optim/index.ts'
import { type DType, type Tensor, tensor } from '../../ts/tensor/index.ts'
import { closeTo, fixture, fromStored } from '../helpers.ts'

const { start, snapshots, traces } = fixture('optim')

/** The gradient that scripts/fixtures/optimizers.py gives parameter `k` at `step`; null where it gives none. */
function gradient(step: number, k: number, { shape, size, dtype }: Tensor<DType>): Tensor<DType> | null {
  if (k === 1 && step % 3 === 0) return null
  return tensor(
    Array.from({ length: size }, (_, i) => (((7 * step + 5 * k + 3 * i) % 17) - 8) / 16),
    { shape, dtype },
  )
}

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
