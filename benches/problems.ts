// Three problems on which optimizers are compared: a curved valley, digits, and the next character of a text.
import { readdirSync, readFileSync } from 'node:fs'
import { mnist } from '../ts/datasets/index.ts'
import { F, type FloatDType, nn, randint, seed, type Tensor, tensor } from '../ts/index.ts'

/** Something to be learnt: parameters, and the loss of one step after another. */
export interface Problem {
  readonly params: readonly Tensor<FloatDType>[]
  readonly loss: () => Tensor
}

/** A problem by its title: how many steps are given, and a fresh start that is always the same. */
export interface Task {
  readonly steps: number
  readonly open: () => Problem
}

/** Rosenbrock's valley (1960) from (-1.5, 1.5); a row of two, so that rules for matrices may try. */
function rosenbrock(): Problem {
  const at = new nn.Parameter(tensor([[-1.5, 1.5]]))
  const loss = (): Tensor => {
    const [x, y] = [at.select(1, 0), at.select(1, 1)]
    return x.neg().add(1).square().add(y.sub(x.square()).square().mul(100)).sum()
  }
  return { params: [at], loss }
}

const batchSize = 128
const { fields, length } = mnist({ split: 'train' })
const pixels = tensor(Float32Array.from(fields.image.data), { shape: [length, 784] }).div(255)
const classes = tensor(fields.label.data, { dtype: 'int64', shape: [length] })

/** Digits by a perceptron without biases: every parameter is a matrix. */
function digits(): Problem {
  seed(1)
  const model = new nn.Sequential(new nn.Linear(784, 128, { bias: false }), new nn.ReLU(), new nn.Linear(128, 10, { bias: false }))
  const loss = (): Tensor => {
    const rows = randint(0, length, { shape: [batchSize] })
    return F.crossEntropy(model.forward(pixels.indexSelect(0, rows)), classes.indexSelect(0, rows))
  }
  return { params: model.parameters(), loss }
}

/** The texts of this repository's documentation. */
function corpus(): string {
  const folder = new URL('../docs/design/', import.meta.url)
  const names = readdirSync(folder).toSorted()
  return names.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
}

const text = corpus()
const alphabet = [...new Set(text)].toSorted()
const codes = tensor(
  Array.from(text, (letter) => alphabet.indexOf(letter)),
  { dtype: 'int64' },
)
const context = 16

/** The next character after sixteen, by their embeddings and one hidden layer (Bengio et al., 2003), without biases. */
function characters(): Problem {
  seed(2)
  const table = new nn.Parameter(tensor(0).expand([alphabet.length, 24]).clone())
  nn.init.normal(table)
  const model = new nn.Sequential(
    new nn.Linear(context * 24, 128, { bias: false }),
    new nn.Tanh(),
    new nn.Linear(128, alphabet.length, { bias: false }),
  )
  const offsets = tensor(
    Array.from({ length: context }, (_, i) => i),
    { dtype: 'int64' },
  )
  const loss = (): Tensor => {
    const starts = randint(0, codes.size - context - 1, { shape: [batchSize, 1] })
    const seen = codes.indexSelect(0, starts.add(offsets).flatten()).reshape([batchSize, context])
    const next = codes.indexSelect(0, starts.flatten().add(context))
    return F.crossEntropy(model.forward(F.embedding(seen, table).flatten(1)), next)
  }
  return { params: [table, ...model.parameters()], loss }
}

export const tasks: Readonly<Record<string, Task>> = {
  "Rosenbrock's valley": { steps: 1000, open: rosenbrock },
  digits: { steps: 200, open: digits },
  'next character': { steps: 400, open: characters },
}
