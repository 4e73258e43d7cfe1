// The library in a minute: a tensor, a gradient, a layer, an optimizer, a save and a load.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { F, loadSafetensors, memory, nn, optim, saveSafetensors, seed, tensor, tensorScope, type Tensor } from '../ts/index.ts'

class Xor extends nn.Module {
  hidden = new nn.Linear(2, 8)
  out = new nn.Linear(8, 2)
  forward(x: Tensor): Tensor {
    return this.out.forward(this.hidden.forward(x).tanh())
  }
}

test('a tensor computes', async (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ])
  const y = x.matmul(x).add(1)
  t.deepEqual(y.shape, [2, 2])
  t.deepEqual(await y.toArray(), [
    [8, 11],
    [16, 23],
  ])
})

test('a gradient flows', async (t) => {
  const x = tensor([1, 2, 3], { requiresGrad: true })
  x.square().sum().backward()
  t.deepEqual(await x.grad?.toArray(), [2, 4, 6])
})

test('a layer learns, is saved and comes back', async (t) => {
  seed(0)
  const x = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])
  const label = tensor([0, 1, 1, 0], { dtype: 'int64' })
  const model = new Xor()
  const opt = optim.adamW({ lr: 0.05, weightDecay: 0 }).bind(model)
  const losses: number[] = []
  let tensors = 0
  for (let step = 0; step < 150; step++) {
    {
      using _step = tensorScope()
      const loss = F.crossEntropy(model.forward(x), label)
      loss.backward()
      opt.step()
      opt.zeroGrad()
      losses.push(loss.itemSync())
    }
    if (step === 10) tensors = memory().tensors
  }
  t.true((losses[0] ?? 0) > 0.5 && (losses.at(-1) ?? 1) < 0.05, `losses from ${losses[0]} to ${losses.at(-1)}`)
  t.is(memory().tensors, tensors, 'a step leaves nothing behind')

  const folder = await mkdtemp(join(tmpdir(), 'firn-tiny-'))
  const path = join(folder, 'xor.safetensors')
  await saveSafetensors(path, model.stateDict())
  const again = new Xor()
  const { tensors: saved } = await loadSafetensors(path)
  again.loadStateDict(saved)
  await rm(folder, { recursive: true })
  t.deepEqual(await again.forward(x).argmax(1).toArray(), [0, 1, 1, 0])
  t.deepEqual(await again.forward(x).toArray(), await model.forward(x).toArray())
})
