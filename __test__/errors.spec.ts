// Mistakes a newcomer makes: each is a FirnError whose message names the call, the values, what was expected and what to do.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  arange,
  F,
  FirnError,
  type FirnErrorCode,
  grad,
  loadSafetensors,
  nn,
  noGrad,
  ones,
  optim,
  randint,
  saveSafetensors,
  tensor,
  tensorScope,
  zeros,
} from '../ts/index.ts'

interface Mistake {
  readonly what: string
  readonly code: FirnErrorCode
  /** Parts the message must hold: the call, the values, the remedy. */
  readonly says: readonly (string | RegExp)[]
  readonly make: () => unknown
}

const folder = mkdtempSync(join(tmpdir(), 'firn-errors-'))
test.after.always(() => rmSync(folder, { recursive: true }))

async function torn(): Promise<string> {
  const path = join(folder, 'torn.safetensors')
  await saveSafetensors(path, { weight: ones([64, 64]) })
  writeFileSync(path, readFileSync(path).subarray(0, 1000))
  return path
}

const leaf = () => ones([2], { requiresGrad: true })

const mistakes: readonly Mistake[] = [
  {
    what: 'shapes that do not broadcast',
    code: 'shape',
    says: ['add', '[2, 3]', '[2, 4]', 'dimension -1'],
    make: () => ones([2, 3]).add(ones([2, 4])),
  },
  {
    what: 'inner sizes of a product',
    code: 'shape',
    says: ['matmul', '[32, 784]', '[128, 10]', '784', '128'],
    make: () => ones([32, 784]).matmul(ones([128, 10])),
  },
  {
    what: 'a reshape that does not fit',
    code: 'shape',
    says: ['reshape', '[2, 3]', '6', '[4, -1]'],
    make: () => ones([2, 3]).reshape([4, -1]),
  },
  { what: 'a dim that does not exist', code: 'shape', says: ['sum', 'dim 3', 'rank 2', '-2 to 1'], make: () => ones([2, 3]).sum(3) },
  {
    what: 'channels of a convolution',
    code: 'shape',
    says: ['conv2d', '[1, 3, 8, 8]', '3 channels', '[4, 1, 3, 3]'],
    make: () => ones([1, 3, 8, 8]).conv2d(ones([4, 1, 3, 3])),
  },
  {
    what: 'a window larger than its input',
    code: 'shape',
    says: ['maxPool2d', 'window of 5', 'input of 4'],
    make: () => ones([1, 1, 4, 4]).maxPool2d(5),
  },
  { what: 'ragged arrays', code: 'shape', says: ['tensor', 'ragged'], make: () => tensor([[1, 2], [3]]) },
  { what: 'an item of many elements', code: 'shape', says: ['item', '[3]', 'data()'], make: () => ones([3]).itemSync() },
  {
    what: 'labels that are not integers',
    code: 'dtype',
    says: ['nllLoss', 'int64', 'float32', ".to('int64')"],
    make: () => Reflect.apply(F.nllLoss, undefined, [zeros([2, 3]), zeros([2])]),
  },
  {
    what: 'a fraction with integers',
    code: 'dtype',
    says: ['add', '0.5', 'int64', ".to('float32')"],
    make: () => arange(0, 3, { dtype: 'int64' }).add(0.5),
  },
  {
    what: 'a gradient of integers',
    code: 'dtype',
    says: ['requiresGrad', 'int64', ".to('float32')"],
    make: () => arange(0, 3, { dtype: 'int64', requiresGrad: true }),
  },
  {
    what: 'a class that does not exist',
    code: 'argument',
    says: ['crossEntropy', 'class 7', '3 classes', '0 to 2'],
    make: () => F.crossEntropy(zeros([1, 3]), tensor([7], { dtype: 'int64' })),
  },
  { what: 'a disposed tensor', code: 'disposed', says: ['mul', 'dispose()', 'keep()'], make: () => disposed().mul(2) },
  { what: 'a tensor that its scope freed', code: 'disposed', says: ['exp', 'scope', 'tidy()'], make: () => scoped().exp() },
  { what: 'a second backward without retainGraph', code: 'autograd', says: ['backward', 'retainGraph: true'], make: () => twice() },
  { what: 'backward from many numbers', code: 'autograd', says: ['backward', '[2]', 'gradient'], make: () => leaf().mul(2).backward() },
  {
    what: 'backward without a path',
    code: 'autograd',
    says: ['backward', 'requiresGrad'],
    make: () =>
      noGrad(() => leaf().mul(2))
        .sum()
        .backward(),
  },
  {
    what: 'a gradient of something unrelated',
    code: 'autograd',
    says: ['grad', 'input 1'],
    make: () => {
      const [x, y] = [leaf(), leaf()]
      grad(x.sum(), [x, y])
    },
  },
  {
    what: 'an unknown option of an op',
    code: 'argument',
    says: ['maxPool2d', "'strides'", "'stride'"],
    make: () => Reflect.apply(ones([1, 1, 4, 4]).maxPool2d, ones([1, 1, 4, 4]), [2, { strides: 1 }]),
  },
  {
    what: 'an unknown option of an optimizer',
    code: 'argument',
    says: ['adamW', "'weight_decay'", "'weightDecay'"],
    make: () => Reflect.apply(optim.adamW, undefined, [{ weight_decay: 0.1 }]),
  },
  { what: 'an impossible learning rate', code: 'argument', says: ['adamW', 'lr', '-1'], make: () => optim.adamW({ lr: -1 }) },
  {
    what: 'an unknown option of a layer',
    code: 'argument',
    says: ['Conv2d', "'kernelSize'", "did you mean 'kernel'?"],
    make: () => Reflect.construct(nn.Conv2d, [1, 2, { kernelSize: 3 }]),
  },
  {
    what: 'an unknown dtype',
    code: 'argument',
    says: ['dtype', "'float'", 'float32'],
    make: () => Reflect.apply(zeros, undefined, [[2], { dtype: 'float' }]),
  },
  { what: 'an unknown device', code: 'device', says: ["'cuda:9'", 'cpu'], make: () => zeros([2], { device: 'cuda:9' }) },
  {
    what: 'a state dict of another module',
    code: 'argument',
    says: ['bias', 'weight', 'missing'],
    make: () => new nn.Linear(2, 3).loadStateDict({ wieght: ones([3, 2]) }),
  },
  { what: 'scopes that end out of order', code: 'memory', says: ['tensorScope', 'reverse order'], make: () => interleaved() },
  { what: 'a range without an end', code: 'argument', says: ['arange', 'step'], make: () => arange(0, 1, { step: 0 }) },
  { what: 'no number in between', code: 'argument', says: ['randint', '[3, 3)'], make: () => randint(3, 3, { shape: [2] }) },
]

function disposed() {
  const x = ones([2])
  x.dispose()
  return x
}

function scoped() {
  using _scope = tensorScope()
  return ones([2])
}

function twice(): void {
  const y = leaf().exp().sum()
  y.backward()
  y.backward()
}

function interleaved(): void {
  const [outer, inner] = [tensorScope(), tensorScope()]
  try {
    outer.end()
  } finally {
    inner.end()
  }
}

for (const { what, code, says, make } of mistakes) {
  test(what, (t) => {
    const error = t.throws(make, { instanceOf: FirnError })
    t.log(`${error.code}: ${error.message}`)
    t.is(error.code, code)
    for (const part of says) {
      t.true(typeof part === 'string' ? error.message.includes(part) : part.test(error.message), `the message says ${String(part)}`)
    }
    t.false(/panicked|unwrap|\.rs:/.test(error.message), 'no text of a panic')
  })
}

test('a truncated safetensors file', async (t) => {
  const path = await torn()
  const error = await t.throwsAsync(loadSafetensors(path), { instanceOf: FirnError })
  t.log(`${error.code}: ${error.message}`)
  t.is(error.code, 'io')
  t.true(error.message.includes(path))
})

test('a file that is not there', async (t) => {
  const error = await t.throwsAsync(loadSafetensors(join(folder, 'none.safetensors')), { instanceOf: FirnError })
  t.log(`${error.code}: ${error.message}`)
  t.is(error.code, 'io')
})

test('a missing platform package', (t) => {
  const script = `import { FirnError } from '${new URL('../ts/errors.ts', import.meta.url).href}'
    try { await import('${new URL('../ts/backend/index.ts', import.meta.url).href}') }
    catch (error) { console.log(JSON.stringify([error instanceof FirnError, error.code, error.message])) }`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, FIRN_NATIVE_PATH: join(folder, 'none.node') },
    encoding: 'utf8',
  })
  const [isFirnError, code, message] = JSON.parse(run.stdout)
  t.log(`${code}: ${message}`)
  t.true(isFirnError)
  t.is(code, 'platform')
  for (const part of [process.platform, process.arch, process.versions.node, 'none.node', 'npm install @firn-ml/'])
    t.true(message.includes(part), part)
})

test('after all of these the tape and the scopes still work', (t) => {
  using _scope = tensorScope()
  const x = leaf()
  x.mul(x).sum().backward()
  t.deepEqual(x.grad?.toArraySync(), [2, 2])
})
