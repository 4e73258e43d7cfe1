import test from 'ava'
import { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../../ts/nn/index.ts'
import { ones, seed, zeros } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'
import { checkLayers, toPair, toTriple } from './layers.ts'

checkLayers('Conv1d', ({ inChannels, outChannels, kernel, ...options }) => {
  return new Conv1d(Number(inChannels), Number(outChannels), { kernel: Number(kernel), ...options })
})
checkLayers('Conv2d', ({ inChannels, outChannels, kernel, ...options }) => {
  return new Conv2d(Number(inChannels), Number(outChannels), { kernel: toPair(kernel), ...options })
})
checkLayers('Conv3d', ({ inChannels, outChannels, kernel, ...options }) => {
  return new Conv3d(Number(inChannels), Number(outChannels), { kernel: toTriple(kernel), ...options })
})
checkLayers('ConvTranspose1d', ({ inChannels, outChannels, kernel, ...options }) => {
  return new ConvTranspose1d(Number(inChannels), Number(outChannels), { kernel: Number(kernel), ...options })
})
checkLayers('ConvTranspose2d', ({ inChannels, outChannels, kernel, ...options }) => {
  return new ConvTranspose2d(Number(inChannels), Number(outChannels), { kernel: toPair(kernel), ...options })
})
checkLayers('ConvTranspose3d', ({ inChannels, outChannels, kernel, ...options }) => {
  return new ConvTranspose3d(Number(inChannels), Number(outChannels), { kernel: toTriple(kernel), ...options })
})

test('weight and bias start within 1/sqrt(fanIn), where groups divide the fan', (t) => {
  seed(1)
  const { weight, bias } = new Conv2d(8, 64, { kernel: 5, groups: 2 })
  t.deepEqual(weight.shape, [64, 4, 5, 5])
  for (const values of [weight.dataSync(), bias?.dataSync() ?? []]) {
    const largest = Math.max(...Array.from(values, Math.abs))
    t.true(largest <= 0.1 && largest > 0.09, `largest ${largest}`)
  }
})

const shapes: [options: ConstructorParameters<typeof Conv2d>[2], expected: number[]][] = [
  [{ kernel: 3, padding: 'same' }, [1, 1, 7, 8]],
  [{ kernel: [4, 2], padding: 'same' }, [1, 1, 7, 8]],
  [{ kernel: 3, dilation: 2, padding: 'same' }, [1, 1, 7, 8]],
  [{ kernel: 3, padding: 'valid' }, [1, 1, 5, 6]],
  [{ kernel: 3, padding: [1, 0], stride: [2, 1] }, [1, 1, 4, 6]],
  [{ kernel: 3, dilation: [2, 1] }, [1, 1, 3, 6]],
]
for (const [options, expected] of shapes) {
  test(`the output of ${JSON.stringify(options)} over [1, 1, 7, 8] is [${expected.join(', ')}]`, (t) => {
    t.deepEqual(new Conv2d(1, 1, options).forward(zeros([1, 1, 7, 8])).shape, expected)
  })
}

test("padding 'same' with an even kernel adds the odd zero after, as PyTorch does", (t) => {
  const layer = new Conv2d(1, 1, { kernel: [1, 2], padding: 'same', bias: false })
  layer.weight.update(() => ones([1, 1, 1, 2]))
  closeTo(t, layer.forward(ones([1, 1, 1, 3])), [2, 2, 1])
})

test('what cannot be is refused', (t) => {
  t.throws(() => new Conv2d(3, 4, { kernel: 3, groups: 2 }), {
    code: 'argument',
    message: /groups \(2\) must divide inChannels \(3\) and outChannels \(4\)/,
  })
  t.throws(() => new Conv2d(1, 1, { kernel: 3, padding: 'same', stride: 2 }), { code: 'argument', message: /'same' needs stride 1, got 2/ })
  t.throws(() => new Conv2d(1, 1, { kernel: [3, 0] }), { code: 'argument', message: /kernel must be a whole number >= 1, got 0/ })
  t.throws(() => new Conv2d(1, 1, { kernel: 3, padding: -1 }), { code: 'argument', message: /padding/ })
  t.throws(() => new Conv2d(1, 1, Object.assign({ kernel: 3 }, { kernelSize: 3 })), { code: 'argument', message: /kernelSize/ })
  t.throws(() => new Conv1d(1, 1, { kernel: 3, ...JSON.parse('{ "paddingMode": "mirror" }') }), {
    code: 'argument',
    message: 'Conv1d: paddingMode must be one of zeros, reflect, replicate, circular, got mirror',
  })
  t.throws(() => new ConvTranspose3d(4, 3, { kernel: 2, groups: 2 }), { code: 'argument', message: /ConvTranspose3d: groups/ })
})

test('a convolution prints what differs from the usual', (t) => {
  const conv = new Conv2d(2, 4, { kernel: [3, 2], padding: 'same', paddingMode: 'circular', bias: false })
  t.is(conv.extraRepr(), '2, 4, kernel=[3, 2], padding=same, paddingMode=circular, bias=false')
  t.is(new ConvTranspose1d(2, 4, { kernel: 3, stride: 2, outputPadding: 1 }).extraRepr(), '2, 4, kernel=3, stride=2, outputPadding=1')
})
