// firn's end of the pipe.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { GradScaler, nn, optim, tensor, tensorScope } from '../../ts/index.ts'
import { convnetStep, gptStep, mlpStep } from '../models.ts'
import { openLarge } from '../opened.ts'
import { byHand, signs, unguarded, wave, type MulCase, type OptimizerCase } from './cases.ts'
import { serve, type Opened } from './serve.ts'

function mul({ grad }: MulCase, variant?: string): Opened {
  const shape = [4, 4]
  const x = tensor(wave(16, 1, 0), { shape, requiresGrad: grad })
  const y = tensor(signs(), { shape })
  const gradient = tensor(new Float32Array(16).fill(1), { shape })
  if (!grad) return { step: () => x.mul(y).dispose() }
  const pass = () => {
    x.mul(y).backward({ gradient })
    x.grad = null
  }
  if (variant === byHand) {
    const step = () => {
      const scope = tensorScope()
      pass()
      scope.end()
    }
    return { step }
  }
  const step = () => {
    using _step = tensorScope()
    pass()
  }
  return { step }
}

function optimizer({ kind, shapes, guarded = false }: OptimizerCase, variant?: string): Opened {
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
  const params = shapes.map((shape, k) => {
    const param = new nn.Parameter(tensor(wave(size(shape), 1, k), { shape }))
    param.grad = tensor(wave(size(shape), 0.1, k + 0.5), { shape })
    return param
  })
  const fused = variant !== 'plain'
  const rule =
    kind === 'sgd'
      ? optim.sgd({ lr: 1e-3, momentum: 0.9, fused })
      : optim.adamW({ lr: 1e-3, weightDecay: 0.01, fused, ...(guarded && variant !== unguarded && { clipGradNorm: 1 }) })
  const opt = rule.bind(params)
  const close = () => params.forEach((param) => param.dispose())
  if (!guarded) return { step: () => opt.step(), close }
  // A window's end drops the gradients: each step gets them anew.
  const grads = params.map(({ grad }) => grad)
  const renew = () => params.forEach((param, k) => (param.grad = grads[k] ?? null))
  const alone = () => {
    opt.update()
    renew()
  }
  if (variant === unguarded) return { step: alone, close }
  const gradScaler = new GradScaler({ initScale: 1024 })
  gradScaler.scale(tensor(1)).dispose()
  const step = () => {
    opt.update({ gradScaler })
    gradScaler.update()
    renew()
  }
  return { step, close }
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
    adamw: optimizer,
    sgd: optimizer,
    mlp: (work) => checked(mlpStep(work)),
    convnet: (work) => checked(convnetStep(work)),
    gpt: (work) => checked(gptStep(work)),
    large: ({ name }) => openLarge(name),
  },
)
