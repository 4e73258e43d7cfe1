// Handwritten digits: a convolutional network trained as a graph, judged on digits it has never seen, and what it still takes for something else.
import {
  DataLoader,
  DatasetNode,
  evaluate,
  F,
  HyperGraph,
  LossNode,
  meter,
  MetricNode,
  ModuleNode,
  nn,
  noGrad,
  optim,
  progress,
  repeat,
  saveCheckpoint,
  seed,
  type Tensor,
  tidy,
  train,
} from 'firn-ml'
import { mnist } from 'firn-ml/datasets'

class Net extends nn.Module {
  readonly features = new nn.Sequential(
    new nn.Conv2d(1, 16, { kernel: 5 }),
    new nn.BatchNorm2d(16),
    new nn.MaxPool2d(2),
    new nn.ReLU(),
    new nn.Conv2d(16, 32, { kernel: 5 }),
    new nn.BatchNorm2d(32),
    new nn.MaxPool2d(2),
    new nn.ReLU(),
    new nn.Flatten(),
  )
  readonly classify = new nn.Sequential(new nn.Linear(512, 128), new nn.ReLU(), new nn.Dropout(0.3), new nn.Linear(128, 10))
  forward(image: Tensor): Tensor {
    return this.classify.forward(this.features.forward(image))
  }
}

const epochs = 6
const batchSize = 64
const known = mnist({ split: 'train' })
const unseen = mnist({ split: 'test' })
const steps = epochs * Math.ceil(known.length / batchSize)

seed(0)
const net = new Net()

const graph = new HyperGraph()
  .add('digits', new DatasetNode({ dataset: known, batchSize, shuffle: true }), { tags: 'train' })
  .add('digits', new DatasetNode({ dataset: unseen, batchSize: 250 }), { tags: 'val' })
  .add(
    'net',
    new ModuleNode({
      module: net,
      forward: (n, x) => n.module.forward(x.digits.image),
      optimizers: optim.adamW({ lr: optim.cosine({ from: 3e-3, steps, warmup: steps / 10 }), weightDecay: 0.02 }),
    }),
  )
  .add('loss', new LossNode({ forward: (_, x) => F.crossEntropy(x.net, x.digits.label) }))
  .add('accuracy', new MetricNode({ meter: meter.accuracy(), forward: (_, x) => [x.net, x.digits.label] }))
  .observe(progress({ chart: true }))

const { outDir, metrics, history } = await graph.run([
  repeat(epochs, [train({ epochs: 1, tags: 'train' }), evaluate({ epochs: 1, tags: 'val' })]),
  saveCheckpoint({ to: 'digits.safetensors' }),
])

const seconds = history.filter(({ training }) => training).reduce((sum, epoch) => sum + epoch.seconds, 0)
console.log(`\n${drawMistakes(await findMistakes())}`)
console.log(
  `\nheld-out accuracy ${(100 * Number(metrics.eval['accuracy'])).toFixed(2)} % on ${unseen.length} digits, after ${seconds.toFixed(1)} s of training`,
)
console.log(`checkpoint: ${outDir}/ckpts/digits.safetensors`)

interface Mistake {
  readonly index: number
  readonly taken: number
  readonly truth: number
}

/** The digits that the network takes for others. */
async function findMistakes(): Promise<Mistake[]> {
  const mistakes: Mistake[] = []
  let index = 0
  for (const { image, label } of new DataLoader({ dataset: unseen, batchSize: 250 })) {
    const guesses = await tidy(() => noGrad(() => net.forward(image).argmax(-1))).data()
    const truths = await label.data()
    guesses.forEach((guess, i) => {
      if (guess !== truths[i]) mistakes.push({ index: index + i, taken: Number(guess), truth: Number(truths[i]) })
    })
    index += guesses.length
  }
  return mistakes
}

/** At most six mistakes, three in a row, each above what it is and what it was taken for. */
function drawMistakes(mistakes: readonly Mistake[]): string {
  const some = mistakes.filter((_, i) => i % Math.ceil(mistakes.length / 6) === 0)
  const rows = [some.slice(0, 3), some.slice(3)].filter((row) => row.length > 0)
  return rows.map((row) => sideBySide(row.map((mistake) => [...drawDigit(mistake.index), caption(mistake)]))).join('\n\n')
}

function caption({ truth, taken }: Mistake): string {
  return `a ${truth}, taken for a ${taken}`.padEnd(20)
}

/** The middle 20 x 20 pixels of a digit, two pixels in a character. */
function drawDigit(index: number): string[] {
  const inked = (row: number, column: number): boolean => (unseen.fields.image.data[index * 784 + (row + 4) * 28 + column + 4] ?? 0) > 100
  const cell = (row: number, column: number): string => ' ▀▄█'[Number(inked(row, column)) + 2 * Number(inked(row + 1, column))] ?? ' '
  return Array.from({ length: 10 }, (_, line) => Array.from({ length: 20 }, (_, column) => cell(2 * line, column)).join(''))
}

/** Pictures of as many lines, next to one another. */
function sideBySide(pictures: readonly string[][]): string {
  return (pictures[0] ?? [])
    .map((_, line) =>
      pictures
        .map((picture) => picture[line])
        .join('      ')
        .trimEnd(),
    )
    .join('\n')
}
