// Meters of classes and errors against scikit-learn, and against plain loops over random data.
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { meter, type Meter } from '../../../ts/graph/index.ts'
import type { Json } from '../../../ts/io/index.ts'
import { type Tensor, tensor } from '../../../ts/tensor/index.ts'
import { dice, rounds } from '../../fuzz.ts'
import { fixturePath } from '../../helpers.ts'
import { noteReads } from '../toys.ts'

const { precision, recall, f1, iou, meanAbsoluteError, rootMeanSquaredError } = meter
const ratioMeters = Object.entries({ precision, recall, f1, iou })
type Named<T> = Readonly<Record<string, T>>

interface Fixture {
  readonly inputs: readonly [
    {
      readonly classes: number
      readonly labels: readonly number[]
      readonly scores: readonly number[][]
      readonly binaryLabels: readonly number[]
      readonly binaryScores: readonly number[]
      readonly targets: readonly number[][]
      readonly predictions: readonly number[][]
    },
  ]
  readonly ratios: readonly (Partial<Named<Json>> & {
    readonly average: 'macro' | 'micro' | 'weighted' | 'none'
    readonly zeroDivision: number | null
  })[]
  readonly binary: readonly [Named<number>]
  readonly others: readonly [{ readonly confusion: number[][] } & Named<Json>]
}

const peer: Fixture = JSON.parse(readFileSync(fixturePath('meters.json'), 'utf8'))
const [inputs] = peer.inputs
const [others] = peer.others
const whole = (values: readonly number[]) => tensor(values, { dtype: 'int64' })

/** What a meter says of the samples, given a few at a time. */
async function result<X, Y>(of: Meter<[X, Y]>, feed: (from: number, to: number) => [X, Y], count: number): Promise<Json> {
  for (let from = 0; from < count; from += 7) of.update(...feed(from, Math.min(from + 7, count)))
  return of.evaluate()
}

const samples = inputs.labels.length
const ofClasses = (from: number, to: number): [Tensor, Tensor<'int64'>] => [
  tensor(inputs.scores.slice(from, to)),
  whole(inputs.labels.slice(from, to)),
]
const ofBinary = (from: number, to: number): [Tensor, Tensor] => [
  tensor(inputs.binaryScores.slice(from, to)),
  tensor(inputs.binaryLabels.slice(from, to)),
]
const ofErrors = (from: number, to: number): [Tensor, Tensor] => [
  tensor(inputs.predictions.slice(from, to)),
  tensor(inputs.targets.slice(from, to)),
]

function close(t: ExecutionContext, got: Json, want: Json | undefined, what: string, tolerance = 1e-12): void {
  const numbers = (value: Json | undefined): number[] =>
    (Array.isArray(value) ? value : [value]).map((each) => (each === null ? NaN : Number(each)))
  const pairs = numbers(got).map((value, i) => [value, numbers(want)[i] ?? Infinity] as const)
  t.true(
    pairs.every(([a, b]) => Object.is(a, b) || Math.abs(a - b) <= tolerance),
    `${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`,
  )
}

for (const { average, zeroDivision, ...want } of peer.ratios) {
  test(`ratios of average ${average} with zeroDivision ${zeroDivision ?? NaN} are scikit-learn's`, async (t) => {
    const options = { classes: inputs.classes, average, zeroDivision: zeroDivision ?? NaN }
    for (const [name, make] of ratioMeters) {
      if (name in want) close(t, await result(make(options), ofClasses, samples), want[name], name)
    }
  })
}

test('binary ratios are those of class 1 in scikit-learn', async (t) => {
  for (const [name, make] of ratioMeters) close(t, await result(make({ threshold: 0.5 }), ofBinary, samples), peer.binary[0][name], name)
})

test('confusion, accuracies and errors are those of scikit-learn', async (t) => {
  t.deepEqual(await result(meter.confusion(inputs.classes), ofClasses, samples), others.confusion)
  const accuracies = { accuracy: {}, top2: { topK: 2 }, top3: { topK: 3 } }
  for (const [name, options] of Object.entries(accuracies))
    close(t, await result(meter.accuracy(options), ofClasses, samples), others[name], name)
  close(t, await result(meter.accuracy({ threshold: 0.5 }), ofBinary, samples), others['binaryAccuracy'], 'binary accuracy')
  // Inputs are float32 here.
  for (const [name, make] of Object.entries({ meanAbsoluteError, rootMeanSquaredError }))
    close(t, await result(make(), ofErrors, samples), others[name], name, 1e-6)
})

test('of segments, each pixel is a sample; ratios and confusion agree with counts of a plain loop, with labels to be ignored', async (t) => {
  for (let round = 0; round < rounds(30); round++) {
    const roll = dice(round)
    const [classes, batch, height, width] = [2 + roll(4), 1 + roll(3), 1 + roll(4), 1 + roll(4)]
    const meters = { confusion: meter.confusion({ classes, ignoreIndex: 7 }), iou: meter.iou({ classes, ignoreIndex: 7, average: 'none' }) }
    const table = Array.from({ length: classes }, () => Array<number>(classes).fill(0))
    for (let update = 0; update < 3; update++) {
      const size = batch * height * width
      const labels = Array.from({ length: size }, () => (roll(5) === 0 ? 7 : roll(classes)))
      const guesses = labels.map(() => roll(classes))
      labels.forEach((label, i) => {
        const row = table[label]
        if (row !== undefined) row[guesses[i] ?? 0] = (row[guesses[i] ?? 0] ?? 0) + 1
      })
      const truth = whole(labels).reshape([batch, height, width])
      const oneHot = whole(guesses)
        .reshape([batch, height, width])
        .unsqueeze(1)
        .eq(whole([...table.keys()]).reshape([1, classes, 1, 1]))
      for (const each of Object.values(meters)) each.update(oneHot.float(), truth)
    }
    t.deepEqual(await meters.confusion.evaluate(), table)
    const sum = (values: readonly (number | undefined)[]) => values.reduce<number>((total, value) => total + (value ?? 0), 0)
    const overlap = table.map((row, k) => {
      const union = sum(row) + sum(table.map((other) => other[k])) - (row[k] ?? 0)
      return union === 0 ? 0 : (row[k] ?? 0) / union
    })
    t.deepEqual(await meters.iou.evaluate(), sum(table.flat()) === 0 ? overlap.map(() => NaN) : overlap)
  }
})

test.serial('nothing is read from the device before somebody asks, and asking changes nothing', async (t) => {
  const make = () => [
    meter.accuracy({ topK: 2 }),
    meter.confusion(inputs.classes),
    ...ratioMeters.map(([, make]) => make({ classes: inputs.classes })),
  ]
  const [plain, asked, resumed] = [make(), make(), make()]
  const feed = (meters: ReturnType<typeof make>, times: number) => {
    for (let i = 0; i < times; i++) for (const each of meters) each.update(...ofClasses(i % 50, 3 + (i % 50)))
  }
  let reads = 0
  const off = noteReads(() => reads++)
  try {
    feed(plain, 300)
    t.is(reads, 0)
  } finally {
    off()
  }
  feed(asked, 150)
  for (const [i, each] of asked.entries()) resumed[i]?.loadStateDict(await each.stateDict())
  for (const meters of [asked, resumed]) feed(meters, 150)
  const say = (meters: ReturnType<typeof make>) => Promise.all(meters.map((each) => each.evaluate()))
  t.deepEqual(await say(asked), await say(plain))
  t.deepEqual(await say(resumed), await say(plain))
})

test('sums of errors come out bit by bit the same whether a checkpoint was made in between or not', async (t) => {
  const [plain, saved, resumed] = [meter.rootMeanSquaredError(), meter.rootMeanSquaredError(), meter.rootMeanSquaredError()]
  plain.update(...ofErrors(0, 20))
  saved.update(...ofErrors(0, 20))
  resumed.loadStateDict(await saved.stateDict())
  for (const each of [plain, saved, resumed]) {
    each.update(...ofErrors(20, 40))
    each.update(...ofErrors(40, 60))
  }
  const said = await plain.evaluate()
  t.is(await saved.evaluate(), said)
  t.is(await resumed.evaluate(), said)
})
