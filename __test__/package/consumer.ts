// What a user's folder holds in the package test: one small program in three dialects, and TypeScript's settings.

const program = `
const x = tensor([[1, 2], [3, 4]])
const w = tensor([[1], [1]], { requiresGrad: true })
const loss = x.matmul(w).add(1).sum()
loss.backward()
const opt = optim.sgd({ lr: 0.125 }).bind([w])
const gradient = w.grad === null ? [] : Array.from(w.grad.dataSync())
opt.step()
console.log(JSON.stringify({ loss: loss.itemSync(), gradient, weight: Array.from(w.dataSync()) }))
`

/** Its one line of output: exact, since all of its numbers are small dyadic fractions. */
export const expected = { loss: 12, gradient: [4, 6], weight: [0.5, 0.25] }

/** File name -> text. */
export const consumerFiles: Record<string, string> = {
  'import.mjs': `import { optim, tensor } from 'firn-ml'${program}`,
  'require.cjs': `const { optim, tensor } = require('firn-ml')${program}`,
  'typed.ts': `import { optim, tensor, type Tensor } from 'firn-ml'${program}
export const kept: Tensor = x
// @ts-expect-error the dtype is in the type
export const wrong: Tensor<'int64'> = x
`,
  'subpaths.ts': `import * as data from 'firn-ml/data'
import * as datasets from 'firn-ml/datasets'
let samples = 0
for await (const batch of new data.DataLoader({ dataset: data.fromArray([1, 2, 3]), batchSize: 2, workers: 1 })) samples += batch.size
console.log(Object.keys(datasets).length > 0 && samples === 3)
`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable', 'dom'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      outDir: 'out',
    },
    include: ['*.ts'],
  }),
}
