// Generators: streams by name, states, what runs on them.
import test from 'ava'
import { F, Generator, nn, ones, rand, randn, rngState, seed, setRngState, withSeed } from '../../ts/index.ts'

test('a generator repeats from its state, and the thread has its own', (t) => {
  seed(0)
  const before = rngState()
  const generator = new Generator(5)
  const first = rand([3], { generator }).dataSync()
  const saved: unknown = JSON.parse(JSON.stringify(generator.state))
  const second = randn([3], { generator }).dataSync()
  t.deepEqual(saved, { seed: '5', calls: 1 })
  t.deepEqual(rngState(), before, 'the thread drew nothing')
  generator.state = { seed: '5', calls: 1 }
  t.deepEqual(randn([3], { generator }).dataSync(), second)
  t.deepEqual(rand([3], { generator: new Generator(5) }).dataSync(), first)
  seed(5)
  t.deepEqual(rand([3]).dataSync(), first, 'seed(n) is new Generator(n) for the thread')
})

test('streams by name depend on nothing drawn, and differ', (t) => {
  const root = new Generator(1)
  const early = rand([100], { generator: root.fork('data') }).dataSync()
  rand([10], { generator: root })
  const late = rand([100], { generator: root.fork('data') }).dataSync()
  t.deepEqual(late, early, 'another consumer shifts nobody')
  const others = [root.fork('Data'), root.fork('data').fork('data'), new Generator(2).fork('data'), root]
  for (const generator of others) t.notDeepEqual(rand([100], { generator }).dataSync(), early)
})

test('everything in run draws from the generator: layers, dropout, nested generators', (t) => {
  const make = () => {
    const layer = new nn.Linear(3, 2)
    rand([2], { generator: new Generator(9) })
    return [...layer.weight.dataSync(), ...F.dropout(ones([8])).dataSync()]
  }
  seed(3)
  const before = rngState()
  const first = new Generator(1).run(make)
  t.deepEqual(withSeed(1, make), first)
  t.deepEqual(rngState(), before)
  t.notDeepEqual(withSeed(2, make), first)
})

test('run goes back when the function fails, and takes no async one', (t) => {
  seed(3)
  const before = rngState()
  const generator = new Generator(1)
  t.throws(
    () =>
      generator.run(() => {
        rand([1])
        throw new Error('on purpose')
      }),
    { message: 'on purpose' },
  )
  t.deepEqual([rngState(), generator.state.calls], [before, 1])
  t.throws(() => generator.run(async () => {}), { code: 'argument', message: /must not be async/ })
})

test('states that are none are refused', (t) => {
  t.throws(() => setRngState({ seed: '-1', calls: 0 }), { code: 'argument' })
  t.throws(() => setRngState({ seed: '1', calls: 0.5 }), { code: 'argument' })
  t.throws(() => setRngState({ seed: String(2n ** 64n), calls: 0 }), { code: 'argument' })
  t.throws(() => seed(-1), { code: 'argument' })
  setRngState({ seed: String(2n ** 64n - 1n), calls: 7 })
  t.deepEqual(rngState(), { seed: '18446744073709551615', calls: 7 })
})
