// jax-js on its WebAssembly device; every call consumes its arguments, `.ref` keeps one.
// Its optax port is not published, so Adam is written out here, inside the jitted step.
import { readFileSync } from 'node:fs'

import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, valueAndGrad, vjp } from '@jax-js/jax'

import { signs, wave, waveTransposed } from './cases.ts'
import { serve } from './serve.ts'

await init('wasm')
defaultDevice('wasm')

const array = (data, shape) => np.array(data).reshape(shape)
const [beta1, beta2, eps] = [0.9, 0.999, 1e-8]

/** Each result feeds the next, as what nobody needs is not computed. */
function mul({ grad }, variant) {
  const compile = variant === 'jit' ? jit : (fn) => fn
  const y = array(signs(), [4, 4])
  let last = array(wave(16, 1, 0), [4, 4])
  if (!grad) {
    const product = compile((a, b) => a.mul(b))
    return { step: () => void (last = product(last, y.ref)), flush: () => blockUntilReady(last) }
  }
  const both = compile((a, b, g) => {
    const [out, back] = vjp((at) => at.mul(b), [a])
    return [out, back(g)[0]]
  })
  let gradient = np.ones([4, 4])
  return {
    step() {
      ;[last, gradient] = both(last, y.ref, gradient)
    },
    flush: () => blockUntilReady([last, gradient]),
  }
}

/** One AdamW update of a list of tensors: everything in, everything out. */
function adam(params, grads, m, v, powers, decay) {
  const [one, two] = powers
  const next = [one.mul(beta1), two.mul(beta2)]
  const rate = np.reciprocal(np.array(1).sub(next[0].ref)).mul(1e-3)
  const scale = np.reciprocal(np.sqrt(np.array(1).sub(next[1].ref)))
  const updated = params.map((p, k) => {
    const g = grads[k]
    const mNext = m[k].mul(beta1).add(g.ref.mul(1 - beta1))
    const vNext = v[k].mul(beta2).add(np.square(g).mul(1 - beta2))
    const denominator = np.sqrt(vNext.ref).mul(scale.ref).add(eps)
    const kept = decay === 0 ? p : p.mul(1 - 1e-3 * decay)
    return [kept.sub(mNext.ref.div(denominator).mul(rate.ref)), mNext, vNext]
  })
  rate.dispose()
  scale.dispose()
  return [updated.map((u) => u[0]), updated.map((u) => u[1]), updated.map((u) => u[2]), next]
}

const size = (shape) => shape.reduce((a, b) => a * b, 1)
const start = (params) => [params, params.map((p) => np.zeros(p.shape)), params.map((p) => np.zeros(p.shape)), [np.array(1), np.array(1)]]

function adamw({ shapes }) {
  const grads = shapes.map((shape, k) => array(wave(size(shape), 0.1, k + 0.5), shape))
  let state = start(shapes.map((shape, k) => array(wave(size(shape), 1, k), shape)))
  const update = jit((p, g, m, v, powers) => adam(p, g, m, v, powers, 0.01))
  // One program for a long list takes minutes to compile (1000 tensors: more than 4 GB), so that gets a call for each tensor.
  const eachAlone = shapes.length > 16
  return {
    step() {
      const [p, m, v, powers] = state
      if (!eachAlone) {
        state = update(
          p,
          grads.map((g) => g.ref),
          m,
          v,
          powers,
        )
        return
      }
      const parts = p.map((_, k) =>
        update(
          [p[k]],
          [grads[k].ref],
          [m[k]],
          [v[k]],
          powers.map((power) => power.ref),
        ),
      )
      for (const power of powers) power.dispose()
      parts.slice(1).forEach((part) => part[3].forEach((power) => power.dispose()))
      state = [parts.map((part) => part[0][0]), parts.map((part) => part[1][0]), parts.map((part) => part[2][0]), parts[0][3]]
    },
    flush: () => blockUntilReady(state),
    close() {
      for (const leaf of [...grads, ...state.flat()]) leaf.dispose()
    },
  }
}

function mlp({ sizes, batch }) {
  const params = sizes
    .slice(1)
    .flatMap((out, k) => [array(waveTransposed(out, sizes[k], 1 / Math.sqrt(sizes[k]), k), [sizes[k], out]), np.zeros([out])])
  const x = array(wave(batch * sizes[0], 1, 0), [batch, sizes[0]])
  const labels = nn.oneHot(
    np.array(
      Array.from({ length: batch }, (_, i) => i % 10),
      { dtype: np.int32 },
    ),
    10,
  )
  const forward = (p, input, target) => {
    let h = input
    for (let k = 0; k < p.length; k += 2) {
      h = np.dot(h, p[k]).add(p[k + 1])
      if (k < p.length - 2) h = nn.relu(h)
    }
    return nn
      .logSoftmax(h, -1)
      .mul(target)
      .sum()
      .mul(-1 / batch)
  }
  const train = jit((p, m, v, powers, input, target) => {
    const [loss, grads] = valueAndGrad(forward)(
      p.map((leaf) => leaf.ref),
      input,
      target,
    )
    return [loss, adam(p, grads, m, v, powers, 0)]
  })
  let state = start(params)
  const step = () => {
    const [p, m, v, powers] = state
    const [loss, next] = train(p, m, v, powers, x.ref, labels.ref)
    state = next
    return loss.dataSync()[0]
  }
  const check = [step(), step(), step()]
  return { step, flush: () => blockUntilReady(state), check }
}

const { version } = JSON.parse(readFileSync(new URL('./node_modules/@jax-js/jax/package.json', import.meta.url), 'utf8'))
await serve({ name: 'jax-js', version, runtime: `Node ${process.versions.node}, wasm`, threads: 1 }, { mul, adamw, mlp })
