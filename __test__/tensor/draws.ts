// A program for random.spec.ts: prints what every random function draws, as JSON.
import * as firn from '../../ts/index.ts'

/** Every random function, each over more than a kernel's piece; the ends and a sum of each. */
export function draws(): Record<string, (number | boolean)[]> {
  const shape = [50_001]
  firn.seed(11)
  const all: Record<string, firn.Tensor<firn.DType>> = {
    rand: firn.rand(shape),
    rand64: firn.rand(shape, { dtype: 'float64' }),
    rand16: firn.rand(shape, { dtype: 'float16' }),
    randn: firn.randn(shape),
    randn64: firn.randn(shape, { dtype: 'float64' }),
    uniform: firn.uniform(shape, { low: -3, high: 5 }),
    normal: firn.normal(shape, { mean: 2, std: 3 }),
    logNormal: firn.logNormal(shape, { std: 0.5 }),
    exponential: firn.exponential(shape),
    cauchy: firn.cauchy(shape),
    geometric: firn.geometric(shape, 0.3),
    bernoulli: firn.bernoulli(shape, 0.3),
    randint: firn.randint(-5, 1000, { shape }),
    randperm: firn.randperm(50_001),
    multinomial: firn.multinomial(firn.rand([1000]), 500),
    replaced: firn.multinomial(firn.rand([3, 10]), 500, { replacement: true }),
    dropout: firn.ones(shape).dropout(0.5),
  }
  return Object.fromEntries(
    Object.entries(all).map(([name, x]) => {
      const data = x.to('float64').dataSync()
      return [name, [...data.subarray(0, 3), ...data.subarray(-3), data.reduce((sum, value, i) => sum + value * ((i % 7) + 1), 0)]]
    }),
  )
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(draws()))
