// firn's end of the pipe.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { nn, optim, tensor, tensorScope } from '../../ts/index.ts'
import { convnetStep, mlpStep } from '../models.ts'
import { openLarge } from '../opened.ts'
import { signs, wave, type AdamWCase, type MulCase } from './cases.ts'
import { serve, type Opened } from './serve.ts'

function mul({ grad }: MulCase): Opened {
  const shape = [4, 4]
  const x = tensor(wave(16, 1, 0), { shape, requiresGrad: grad })
  const y = tensor(signs(), { shape })
  const gradient = tensor(new Float32Array(16).fill(1), { shape })
  if (!grad) return { step: () => x.mul(y).dispose() }
  const step = () => {
    using _step = tensorScope()
    x.mul(y).backward({ gradient })
    x.grad = null
  }
  return { step }
}

function adamw({ shapes }: AdamWCase, variant?: string): Opened {
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
  const params = shapes.map((shape, k) => {
    const param = new nn.Parameter(tensor(wave(size(shape), 1, k), { shape }))
    param.grad = tensor(wave(size(shape), 0.1, k + 0.5), { shape })
    return param
  })
  const opt = optim.adamW({ lr: 1e-3, weightDecay: 0.01, fused: variant !== 'plain' }).bind(params)
  return { step: () => opt.step(), close: () => params.forEach((param) => param.dispose()) }
}

/** A training step with its first three losses. */
function checked(step: () => number): Opened {
  return { step, check: [step(), step(), step()] }
}

const { version }: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
await serve(
  {
    name: 'firn',
    version,
    runtime: `Node ${process.versions.node}`,
    threads: Number(process.env.RAYON_NUM_THREADS ?? availableParallelism()),
  },
  {
    mul,
    adamw,
    mlp: (work) => checked(mlpStep(work)),
    convnet: (work) => checked(convnetStep(work)),
    large: ({ name }) => openLarge(name),
  },
)
