// What no fixture of an op shows: frequencies, long and awkward lengths against the sum that defines a transform, refusals.
import test from 'ava'
import { fft, rand, randn, seed, tensor } from '../ts/index.ts'
import { closeTo } from './helpers.ts'

test('frequencies go up, then come from below', (t) => {
  closeTo(t, fft.fftfreq(5), [0, 0.2, 0.4, -0.4, -0.2])
  closeTo(t, fft.fftfreq(4, { d: 0.5 }), [0, 0.5, -1, -0.5])
  closeTo(t, fft.fftfreq(1), [0])
  closeTo(t, fft.rfftfreq(4), [0, 0.25, 0.5])
  t.is(fft.rfftfreq(5, { dtype: 'float64' }).dtype, 'float64')
  t.throws(() => fft.fftfreq(0), { code: 'argument', message: 'fftfreq: n must be a whole number >= 1, got 0' })
  t.throws(() => fft.rfftfreq(4, { d: 0 }), { code: 'argument', message: /d must be a finite number other than 0/ })
})

for (const n of [1, 2, 8, 30, 31, 37, 64, 74, 97, 120, 256]) {
  test(`a transform of ${n} numbers is the sum that defines it, and comes back`, (t) => {
    seed(n)
    const x = randn([n, 2], { dtype: 'float64' })
    const values = x.dataSync()
    const expected = Array.from({ length: n }, (_, k) => {
      let [re, im] = [0, 0]
      for (let j = 0; j < n; j += 1) {
        const angle = (-2 * Math.PI * ((j * k) % n)) / n
        const [a, b] = [Number(values[2 * j]), Number(values[2 * j + 1])]
        re += a * Math.cos(angle) - b * Math.sin(angle)
        im += a * Math.sin(angle) + b * Math.cos(angle)
      }
      return [re, im]
    }).flat()
    const y = fft.fft(x)
    closeTo(t, y, expected, { rtol: 1e-9, atol: 1e-10 })
    closeTo(t, fft.ifft(y), [...values], { rtol: 1e-9, atol: 1e-10 })
    const real = rand([3, n])
    closeTo(t, fft.irfft(fft.rfft(real), { n }), [...real.dataSync()], { rtol: 1e-4, atol: 1e-6 })
  })
}

test('many lines in a middle dimension are transformed one by one', (t) => {
  seed(1)
  const x = randn([3, 12, 21, 2])
  const one = fft.fft(x.select(0, 1).select(1, 20))
  closeTo(t, fft.fft(x, { dim: 1 }).select(0, 1).select(1, 20), [...one.dataSync()], { rtol: 1e-5, atol: 1e-5 })
})

test('what is no complex number, no size and no dimension is refused', (t) => {
  t.throws(() => fft.fft(tensor([1, 2, 3])), { code: 'shape', message: /\[3\] is not complex.*fft\.complex/ })
  t.throws(() => fft.rfft(tensor([1, 2, 3]), { n: 0 }), { code: 'argument', message: /give n/ })
  t.throws(() => fft.irfft(tensor([[1, 0]])), { code: 'argument', message: /leaves n open/ })
  t.throws(() => fft.fft2(fft.complex(tensor([1, 2]))), { code: 'shape', message: /dim -2 is out of range/ })
  t.throws(() => fft.rfftn(tensor([[1, 2]]), { s: [2, 2, 2] }), { code: 'shape', message: /out of range/ })
  t.throws(() => fft.rfftn(tensor([[1, 2]]), { s: [2], dim: [0, 1] }), { code: 'argument', message: /one for each is needed/ })
})
