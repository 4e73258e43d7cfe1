// The optimizers by name.
import { Optimizer, type StepOptions } from './optimizer.ts'
import type { OptionsOf } from './rule.ts'

/**
 * Stochastic gradient descent, with momentum, Nesterov's variant and weight decay, as in PyTorch.
 *
 * @example
 * const opt = optim.sgd({ lr: 0.1, momentum: 0.9 }).bind(model)
 */
export const sgd = (options: OptionsOf<'sgd'> & StepOptions = {}): Optimizer<'sgd'> => new Optimizer('sgd', options)

/**
 * Adam with weight decay apart from the gradient (Loshchilov & Hutter, 2019), as in PyTorch.
 *
 * @example
 * const opt = optim.adamW({ lr: optim.cosine({ from: 1e-3, steps: 1000, warmup: 50 }), clipGradNorm: 1 }).bind(model)
 */
export const adamW = (options: OptionsOf<'adamW'> & StepOptions = {}): Optimizer<'adamW'> => new Optimizer('adamW', options)
