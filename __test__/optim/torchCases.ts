// The walk that scripts/fixtures/optim_torch.py takes with PyTorch, taken with firn.
import { type BoundOptimizer, exponential, Optimizer } from '../../ts/optim/index.ts'
import { type DType, type Tensor, tensor } from '../../ts/tensor/index.ts'
import { fixture, fromStored, isStored } from '../helpers.ts'

export const { first, last, cases } = fixture('optim_torch')
export type TorchCase = (typeof cases)[number]

/** The gradient that scripts/fixtures/optimizers.py gives parameter `k` at `step`, from 1; null where it gives none. */
export function gradient(step: number, k: number, { shape, size, dtype }: Tensor<DType>): Tensor<DType> | null {
  if (k === 1 && step % 3 === 0) return null
  return tensor(
    Array.from({ length: size }, (_, i) => (((7 * step + 5 * k + 3 * i) % 17) - 8) / 16),
    { shape, dtype },
  )
}

/** Parameters that hold `values`, and the optimizer of a case over them: two groups, the second with half the rate. */
export function bindCase(
  { rule, options, gamma }: TorchCase,
  values: readonly Tensor<DType>[],
): { params: Tensor<DType>[]; opt: BoundOptimizer } {
  const params = values.map((value) => value.clone())
  for (const param of params) param.requiresGrad = true
  const base = new Optimizer(rule, options)
  const rate = (factor: number): number => Number(base.lr) * factor
  const lr = (factor: number) => (gamma === null ? rate(factor) : exponential({ from: rate(factor), gamma }))
  const optimizer = new Optimizer(rule, { ...options, lr: lr(1) })
  return { params, opt: optimizer.bind([{ params: params.slice(0, 2) }, { params: params.slice(2), lr: lr(0.5) }]) }
}

/** Steps `from + 1` to `to`. */
export function walk(params: readonly Tensor<DType>[], opt: BoundOptimizer, from: number, to: number): void {
  for (let step = from + 1; step <= to; step++) {
    for (const [k, param] of params.entries()) param.grad = gradient(step, k, param)
    opt.step()
  }
}

/** What firn saves for PyTorch after the first steps. */
export function firnState(one: TorchCase) {
  const { params, opt } = bindCase(
    one,
    one.start.map((value) => fromStored(value)),
  )
  walk(params, opt, 0, first)
  return { params: params.map((param) => param.detach()), optimizer: opt.torchStateDict() }
}

/** The name of a case in the file of firn's states. */
export const caseName = ({ rule, name }: TorchCase): string => `${rule} ${name}`

/** A tree of a fixture with tensors where it describes some. */
export function revive(value: unknown): unknown {
  if (isStored(value)) return fromStored(value)
  if (Array.isArray(value)) return value.map(revive)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]))
}
