// Statistics of batch norms for weights that were not trained but averaged.
import { noGrad } from '../autograd/index.ts'
import { FirnError } from '../errors.ts'
import { BatchNorm2d, type Module } from '../nn/index.ts'
import { Tensor, tidy } from '../tensor/index.ts'

/**
 * Estimates the running statistics of every batch norm in `model` anew, as the mean over `batches`; weights that are averages have met no
 * data yet. As `torch.optim.swa_utils.update_bn`. Modes and momenta are put back afterwards.
 *
 * `forward` runs the model on a batch; without it, a batch is the model's input, or a list whose first entry is.
 *
 * @example
 * const model = new nn.Sequential(new nn.BatchNorm2d(2))
 * await optim.updateBn(model, [full([4, 2, 3, 3], 5), full([4, 2, 3, 3], 7)])
 * model.stateDict()['0.running_mean'] // [6, 6]
 */
export async function updateBn<B>(
  model: Module,
  batches: Iterable<B> | AsyncIterable<B>,
  forward: (batch: B) => unknown = (batch) => Reflect.apply(model.forward, model, [inputOf(batch)]),
): Promise<void> {
  const norms = model.modules().filter((module) => module instanceof BatchNorm2d)
  const tracking = norms.filter(({ runningMean }) => runningMean !== null)
  if (tracking.length === 0) return
  const momenta = tracking.map(({ momentum }) => momentum)
  const modes = model.modules().map((module) => [module, module.training] as const)
  for (const norm of tracking) {
    norm.resetRunningStats()
    norm.momentum = null
  }
  model.train()
  try {
    for await (const batch of batches) noGrad(() => tidy(() => void forward(batch)))
  } finally {
    for (const [module, training] of modes) module.training = training
    for (const [i, norm] of tracking.entries()) norm.momentum = momenta[i] ?? null
  }
}

function inputOf(batch: unknown): Tensor {
  const input: unknown = Array.isArray(batch) ? batch[0] : batch
  if (input instanceof Tensor) return input
  throw new FirnError(
    'argument',
    'updateBn: a batch is neither a tensor nor a list that begins with one; give forward: (batch) => model.forward(...)',
  )
}
