// What no fixture of an op shows: norms by one name, larger eigenproblems against their definition, refusals.
import test from 'ava'
import { cdist, eye, F, linalg, ones, randn, seed, tensor, zeros } from '../ts/index.ts'
import { closeTo } from './helpers.ts'

const x = tensor([
  [3, -1],
  [2, 4],
])

test('norm is one of vectors or one of matrices, by its dimensions and its ord', (t) => {
  closeTo(t, linalg.norm(x), [Math.sqrt(30)])
  closeTo(t, linalg.norm(ones([2, 2, 2])), [Math.sqrt(8)])
  closeTo(t, linalg.norm(x, { ord: 1 }), [5])
  closeTo(t, linalg.norm(x, { ord: -Infinity }), [4])
  closeTo(t, linalg.norm(x, { ord: 'nuc' }), linalg.svdvals(x).sum().dataSync())
  closeTo(t, linalg.norm(x, { ord: 1, dim: 1 }), [4, 6])
  closeTo(t, linalg.norm(x, { dim: [0], keepDim: true }), [Math.sqrt(13), Math.sqrt(17)])
  closeTo(t, linalg.norm(tensor([3, 0, -4]), { ord: 0 }), [2])
  t.deepEqual(linalg.norm(zeros([4, 2, 3]), { ord: 'fro', dim: [1, 2] }).shape, [4])
  t.throws(() => linalg.norm(x, { ord: 3 }), { code: 'argument', message: /no norm of matrices has ord 3/ })
  t.throws(() => linalg.norm(ones([2, 2, 2]), { ord: 1 }), { code: 'argument', message: /ord 1 over 3 dimensions/ })
  t.throws(() => linalg.norm(tensor([1, 2]), { ord: 'fro' }), { code: 'argument', message: /ord fro over 1 dimensions/ })
})

for (const n of [2, 3, 17, 60, 130]) {
  test(`eigenvalues and vectors of a symmetric ${n} x ${n} matrix rebuild it`, (t) => {
    seed(n)
    const half = randn([n, n], { dtype: 'float64' })
    const a = half.add(half.transpose(-1, -2))
    const { eigenvalues, eigenvectors } = linalg.eigh(a)
    const far = { rtol: 0, atol: 1e-11 * n }
    closeTo(t, eigenvectors.mul(eigenvalues).matmul(eigenvectors.transpose(-1, -2)), [...a.dataSync()], far)
    closeTo(t, eigenvectors.transpose(-1, -2).matmul(eigenvectors), [...eye(n, { dtype: 'float64' }).dataSync()], far)
    closeTo(t, linalg.eigvalsh(a), [...eigenvalues.dataSync()], far)
  })
}

test('eigenvalues that repeat, or that no element beside the diagonal moves, are found', (t) => {
  closeTo(t, linalg.eigvalsh(eye(5)), [1, 1, 1, 1, 1])
  closeTo(t, linalg.eigh(ones([4, 4])).eigenvalues, [0, 0, 0, 4], { rtol: 1e-6, atol: 1e-6 })
  closeTo(t, linalg.eigvalsh(tensor([3, -1, 2, 2]).diag()), [-1, 2, 2, 3])
  closeTo(
    t,
    linalg.eigvalsh(
      tensor([
        [1e30, 0],
        [0, 1e-30],
      ]),
    ),
    [1e-30, 1e30],
  )
  t.throws(() => linalg.eigvalsh(tensor([[NaN]])), { code: 'argument', message: /infinities or NaN/ })
})

test('rows that do not fit and distances that are none are refused', (t) => {
  t.throws(() => cdist(ones([2, 3]), ones([2, 4])), { code: 'shape', message: /one size and dtype/ })
  t.throws(() => cdist(ones([2]), ones([2, 2])), { code: 'shape', message: /holds no rows/ })
  t.throws(() => cdist(ones([2, 3]), ones([2, 3]), { p: -1 }), { code: 'argument', message: /p must be 0 or more/ })
  t.throws(() => F.pdist(ones([2, 3, 4])), { code: 'shape' })
  t.throws(() => linalg.matrixNorm(x, { dim: [0] }), { code: 'argument', message: /rows and columns/ })
})
