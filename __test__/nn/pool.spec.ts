import test from 'ava'
import { AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d, MaxPool1d, MaxPool2d, MaxPool3d, MaxUnpool2d } from '../../ts/nn/index.ts'
import { AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AvgPool1d, AvgPool2d, AvgPool3d } from '../../ts/nn/index.ts'
import { LPPool1d, LPPool2d, LPPool3d } from '../../ts/nn/index.ts'
import { arange, zeros } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'
import { checkLayers, toPair, toTriple } from './layers.ts'

checkLayers('MaxPool1d', ({ kernel, ...options }) => new MaxPool1d(Number(kernel), options))
checkLayers('MaxPool2d', ({ kernel, ...options }) => new MaxPool2d(toPair(kernel), options))
checkLayers('MaxPool3d', ({ kernel, ...options }) => new MaxPool3d(toTriple(kernel), options))
checkLayers('AvgPool1d', ({ kernel, ...options }) => new AvgPool1d(Number(kernel), options))
checkLayers('AvgPool2d', ({ kernel, ...options }) => new AvgPool2d(toPair(kernel), options))
checkLayers('AvgPool3d', ({ kernel, ...options }) => new AvgPool3d(toTriple(kernel), options))
checkLayers('LPPool1d', ({ normType, kernel, ...options }) => new LPPool1d(Number(normType), Number(kernel), options))
checkLayers('LPPool2d', ({ normType, kernel, ...options }) => new LPPool2d(Number(normType), toPair(kernel), options))
checkLayers('LPPool3d', ({ normType, kernel, ...options }) => new LPPool3d(Number(normType), toTriple(kernel), options))
checkLayers('AdaptiveAvgPool1d', ({ outputSize }) => new AdaptiveAvgPool1d(Number(outputSize)))
checkLayers('AdaptiveAvgPool2d', ({ outputSize }) => new AdaptiveAvgPool2d(toPair(outputSize)))
checkLayers('AdaptiveAvgPool3d', ({ outputSize }) => new AdaptiveAvgPool3d(toTriple(outputSize)))
checkLayers('AdaptiveMaxPool1d', ({ outputSize }) => new AdaptiveMaxPool1d(Number(outputSize)))
checkLayers('AdaptiveMaxPool2d', ({ outputSize }) => new AdaptiveMaxPool2d(toPair(outputSize)))
checkLayers('AdaptiveMaxPool3d', ({ outputSize }) => new AdaptiveMaxPool3d(toTriple(outputSize)))

const image = () => arange(0, 16).reshape([1, 1, 4, 4])

test('MaxPool2d and AvgPool2d step by their kernel unless told otherwise', (t) => {
  closeTo(t, new MaxPool2d(2).forward(image()), [5, 7, 13, 15])
  closeTo(t, new AvgPool2d(2).forward(image()), [2.5, 4.5, 10.5, 12.5])
  closeTo(t, new MaxPool2d([1, 4], { stride: [2, 1] }).forward(image()), [3, 11])
})

test('padding adds what never wins a maximum, and zeros that count in a mean unless told otherwise', (t) => {
  closeTo(t, new MaxPool2d(2, { padding: 1 }).forward(image().sub(100)), [-100, -98, -97, -92, -90, -89, -88, -86, -85])
  closeTo(t, new AvgPool2d(2, { padding: 1, countIncludePad: false }).forward(image()), [0, 1.5, 3, 6, 7.5, 9, 12, 13.5, 15])
  closeTo(t, new AvgPool2d(2, { padding: 1 }).forward(image()), [0, 0.75, 0.75, 3, 7.5, 4.5, 3, 6.75, 3.75])
})

test('dilation spreads a maximum, ceilMode keeps a window that is not whole', (t) => {
  closeTo(t, new MaxPool2d(2, { dilation: 2, stride: 1 }).forward(image()), [10, 11, 14, 15])
  closeTo(t, new MaxPool2d(3, { ceilMode: true }).forward(image()), [10, 11, 14, 15])
  closeTo(t, new AvgPool2d(3, { ceilMode: true }).forward(image()), [5, 7, 13, 15])
})

test('AdaptiveAvgPool2d makes the size it is told', (t) => {
  closeTo(t, new AdaptiveAvgPool2d(1).forward(image()), [7.5])
  closeTo(t, new AdaptiveAvgPool2d([2, 1]).forward(image()), [3.5, 11.5])
  t.deepEqual(new AdaptiveAvgPool2d(3).forward(zeros([2, 5, 7, 9])).shape, [2, 5, 3, 3])
})

test('bad sizes and unknown options are refused by name', (t) => {
  t.throws(() => new MaxPool2d(0), { code: 'argument', message: 'MaxPool2d: kernel must be a whole number >= 1, got 0' })
  t.throws(() => new AvgPool2d(2, Object.assign({ stride: 1 }, { strid: 2 })), { code: 'argument', message: /AvgPool2d.*strid/ })
})

test('MaxUnpool2d puts maxima back where they were, into the size it is told', (t) => {
  const { values, indices } = new MaxPool2d(2).withIndices(arange(0, 25).reshape([1, 1, 5, 5]))
  closeTo(t, values, [6, 8, 16, 18])
  const back = new MaxUnpool2d(2).forward(values, indices, { outputSize: [5, 5] })
  t.deepEqual(back.shape, [1, 1, 5, 5])
  closeTo(
    t,
    back,
    Array.from({ length: 25 }, (_, i) => ([6, 8, 16, 18].includes(i) ? i : 0)),
  )
})
