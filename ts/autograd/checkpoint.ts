// Memory for time: intermediate results made again in the backward pass.
import { native } from '../backend/index.ts'
import { FirnError } from '../errors.ts'
import { callback, handlesOf, Tensor, tidy, wrapHandle, type DType } from '../tensor/index.ts'

/**
 * Runs `fn` without keeping what its gradient needs; the backward pass runs `fn` again for that. Random numbers repeat exactly. Gradients
 * reach the inputs and whatever parameters `fn` uses; checkpoints may be nested, and gradients of any order work. Tensors that `fn` uses
 * and that are no parameters should be among the inputs, which are held for the second run.
 * @example
 * const layer = new nn.Linear(2, 2)
 * const x = ones([1, 2], { requiresGrad: true })
 * checkpoint((x) => layer.forward(x).tanh(), x).sum().backward()
 * x.grad?.shape // [1, 2]
 * @throws FirnError 'autograd' in the backward pass, when the second run differs from the first
 */
export function checkpoint<A extends unknown[], R>(fn: (...inputs: A) => R, ...inputs: A): R {
  const at = inputs.flatMap((input, i) => (input instanceof Tensor ? [i] : []))
  const tensors = inputs.filter((input) => input instanceof Tensor)
  const again = callback('checkpoint', (handles) => {
    const args = [...inputs]
    at.forEach((place, i) => (args[place] = wrapHandle<DType>(handles[i] ?? 0)))
    fn(...(args as A))
    return []
  })
  const begun = native.checkpointBegin(handlesOf(tensors), again)
  if (!begun) return fn(...inputs)
  try {
    return tidy(() => synchronous(fn(...inputs)))
  } finally {
    native.checkpointEnd()
  }
}

function synchronous<R>(result: R): R {
  if (result instanceof Promise) throw new FirnError('argument', 'checkpoint(fn) takes a synchronous function')
  return result
}
