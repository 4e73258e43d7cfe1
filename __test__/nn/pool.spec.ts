import test from 'ava'
import { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from '../../ts/nn/index.ts'
import { arange, zeros } from '../../ts/tensor/index.ts'
import { closeTo } from '../helpers.ts'

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
