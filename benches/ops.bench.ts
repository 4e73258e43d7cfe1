// One op at a time: what a call costs on 4 x 4, how near the large ones come to the machine, and the ops that bench:peers compares.
import { tensor, tensorScope, type Tensor } from '../ts/index.ts'
import { measure, type Work } from './measure.ts'
import { openLarge } from './opened.ts'
import { wave } from './peers/cases.ts'
import { large } from './peers/large.ts'

const input = (...shape: number[]): Tensor =>
  tensor(
    wave(
      shape.reduce((a, b) => a * b, 1),
      1,
      0,
    ),
    { shape },
  )

/** A work on inputs that live as long as it; what `run` makes is freed by a scope a call. */
function op(
  name: string,
  shapes: readonly (readonly number[])[],
  run: (x: Tensor, y: Tensor) => unknown,
  amount?: Work['amount'],
  repeat = 1,
): Work {
  const open = () => {
    const [x = input(1), y = x] = shapes.map((shape) => input(...shape))
    const scoped = () => {
      using _call = tensorScope()
      run(x, y)
    }
    return { run: scoped, close: () => new Set([x, y]).forEach((made) => made.dispose()) }
  }
  return { name, open, repeat, ...(amount && { amount }) }
}

const flop = (count: number) => ({ unit: 'flop', count }) as const
const bytes = (count: number) => ({ unit: 'byte', count }) as const

const matmul = (m: number, k: number, n: number) =>
  op(
    `matmul ${m}x${k}x${n}`,
    [
      [m, k],
      [k, n],
    ],
    (x, y) => x.matmul(y),
    flop(2 * m * k * n),
    m * n <= 4096 ? 100 : 1,
  )
const rows = (name: string, run: (x: Tensor) => Tensor) => op(`${name} [1024, 128]`, [[1024, 128]], run, bytes(2 * 4 * 131_072), 4)

/** The small op in each way of freeing its result. */
const small: Work[] = [
  {
    name: 'mul 4x4, freed one by one',
    repeat: 1000,
    open() {
      const [x, y] = [input(4, 4), input(4, 4)]
      return { run: () => x.mul(y).dispose() }
    },
  },
  {
    name: '100 of mul 4x4 in one scope',
    repeat: 10,
    open() {
      const [x, y] = [input(4, 4), input(4, 4)]
      const hundred = () => {
        using _scope = tensorScope()
        for (let i = 0; i < 100; i++) x.mul(y)
      }
      return { run: hundred }
    },
  },
  {
    name: 'mul 4x4 + backward, in a scope',
    repeat: 1000,
    open() {
      const [x, y, g] = [input(4, 4), input(4, 4), input(4, 4)]
      x.requiresGrad = true
      const both = () => {
        using _scope = tensorScope()
        x.mul(y).backward({ gradient: g })
        x.grad = null
      }
      return { run: both }
    },
  },
]

await measure('ops', [
  ...small,
  matmul(64, 64, 64),
  matmul(128, 784, 256),
  matmul(512, 512, 512),
  matmul(1024, 128, 512),
  rows('add', (x) => x.add(x)),
  rows('exp', (x) => x.exp()),
  rows('gelu', (x) => x.gelu()),
  rows('softmax', (x) => x.softmax(-1)),
  rows('sum of rows', (x) => x.sum(-1)),
  op(
    'conv2d 64x32x13x13, 64 3x3',
    [
      [64, 32, 13, 13],
      [64, 32, 3, 3],
    ],
    (x, y) => x.conv2d(y),
    flop(2 * 64 * 64 * 121 * 32 * 9),
  ),
  op('maxPool2d 64x32x26x26, 2x2', [[64, 32, 26, 26]], (x) => x.maxPool2d(2)),
  ...Object.keys(large).map((name): Work => {
    const open = () => {
      const { step, close } = openLarge(name)
      return { run: step, close }
    }
    return { name, open }
  }),
])
