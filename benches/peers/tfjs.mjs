// tfjs on its WebAssembly backend. It has no AdamW: its Adam, one decay less, stands in.
// Its convolution has no gradient there, so no convnet.
import { readFileSync } from 'node:fs'

import * as tf from '@tensorflow/tfjs'
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'

import { signs, wave, waveTransposed } from './cases.ts'
import { serve } from './serve.ts'

setWasmPaths(`${import.meta.dirname}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`)
setThreadsCount(2)
await tf.setBackend('wasm')
await tf.ready()

const size = (shape) => shape.reduce((a, b) => a * b, 1)

function mul({ grad }) {
  const [x, y, g] = [tf.tensor(wave(16, 1, 0), [4, 4]), tf.tensor(signs(), [4, 4]), tf.ones([4, 4])]
  if (!grad) return { step: () => tf.mul(x, y).dispose() }
  const back = tf.grad((a) => tf.mul(a, y))
  return { step: () => back(x, g).dispose() }
}

function adamw({ shapes }) {
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8)
  const variables = shapes.map((shape, k) => tf.variable(tf.tensor(wave(size(shape), 1, k), shape)))
  const grads = Object.fromEntries(
    variables.map((variable, k) => [variable.name, tf.tensor(wave(size(shapes[k]), 0.1, k + 0.5), shapes[k])]),
  )
  return {
    step: () => tf.tidy(() => optimizer.applyGradients(grads)),
    close() {
      tf.dispose([variables, grads])
      optimizer.dispose()
    },
  }
}

function mlp({ sizes, batch }) {
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8)
  const weights = sizes
    .slice(1)
    .map((out, k) => tf.variable(tf.tensor(waveTransposed(out, sizes[k], 1 / Math.sqrt(sizes[k]), k), [sizes[k], out])))
  const biases = sizes.slice(1).map((out) => tf.variable(tf.zeros([out])))
  const x = tf.tensor(wave(batch * sizes[0], 1, 0), [batch, sizes[0]])
  const labels = tf.tidy(() =>
    tf.oneHot(
      tf.tensor1d(
        Array.from({ length: batch }, (_, i) => i % 10),
        'int32',
      ),
      10,
    ),
  )
  const loss = () => {
    let h = x
    weights.forEach((weight, k) => {
      h = h.matMul(weight).add(biases[k])
      if (k < weights.length - 1) h = h.relu()
    })
    return tf.losses.softmaxCrossEntropy(labels, h)
  }
  const step = () => {
    const value = tf.tidy(() => optimizer.minimize(loss, true))
    const read = value.dataSync()[0]
    value.dispose()
    return read
  }
  return {
    step,
    check: [step(), step(), step()],
    close() {
      tf.dispose([weights, biases, x, labels])
      optimizer.dispose()
    },
  }
}

const { version } = JSON.parse(readFileSync(new URL('./node_modules/@tensorflow/tfjs/package.json', import.meta.url), 'utf8'))
await serve({ name: 'tfjs', version, runtime: `Node ${process.versions.node}, wasm`, threads: getThreadsCount() }, { mul, adamw, mlp })
