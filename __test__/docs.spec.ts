// Every example of the documentation runs, and where it says what comes out, that comes out.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import * as autograd from '../ts/autograd/index.ts'
import * as firn from '../ts/index.ts'
import * as tensors from '../ts/tensor/index.ts'
import { compile, documented, runExample } from './docExamples.ts'
import { given, inFolder } from './docScope.ts'
import type { OpRow } from './helpers.ts'

const manifest: readonly OpRow[] = JSON.parse(readFileSync(new URL('ops.gen.json', import.meta.url), 'utf8'))
const isPublic = ({ faces }: OpRow) => faces.some((face) => face !== 'native')

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = globSync('ts/**/*.ts', { cwd: root, exclude: (path) => path.endsWith('.gen.ts') }).toSorted()
const symbols = sources.flatMap((path) =>
  documented(new URL(`../${path}`, import.meta.url)).map((entry) => ({ ...entry, path, folder: path.split('/')[1] ?? '' })),
)
const examples = symbols.filter(({ lines }) => lines.length > 0)

async function run(lines: readonly string[], path?: string): Promise<void> {
  const own: object = path === undefined ? {} : await import(`../${path}`)
  await tensors.tidy(() => inFolder(() => runExample(lines, { ...given(lines), ...own })))
}

test('every op has an example', (t) => {
  const without = manifest.filter((row) => isPublic(row) && row.example.length === 0).map(({ js }) => js)
  t.deepEqual(without, [], 'give the row #[example("expression // value")]')
})

for (const { js, example } of manifest.filter((row) => row.example.length > 0)) {
  test.serial(`op ${js}: its example says what comes out`, async (t) => {
    await t.notThrowsAsync(run(example))
    t.true(compile(example).checks > 0, 'no line of the example shows a value: expression // value')
  })
}

for (const { symbol, path, folder, lines } of examples) {
  test.serial(`${path}: the example of ${symbol} runs`, async (t) => {
    await t.notThrowsAsync(run(lines, path))
    if (folder === 'tensor' || folder === 'autograd') t.true(compile(lines).checks > 0, 'no line of the example shows a value')
  })
}

for (const page of globSync('docs/*.md', { cwd: root }).toSorted()) {
  const text = readFileSync(join(root, page), 'utf8')
  // The generated pages show examples of ops, which run above.
  if (text.includes('@generated')) continue
  for (const [i, [, code = '']] of Array.from(text.matchAll(/^```ts\n([\s\S]*?)\n```$/gm)).entries()) {
    test.serial(`${page}: example ${i + 1} runs: ${code.split('\n')[0]}`, async (t) => {
      await t.notThrowsAsync(run(code.split('\n')))
    })
  }
}

test('the programs that README prints are the examples that run', (t) => {
  const printed = Array.from(readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code]) => code)
  const run = ['graph', 'eager'].map((name) => readFileSync(join(root, `examples/${name}.ts`), 'utf8'))
  t.deepEqual(printed, run)
})

test('links of the documents lead somewhere', (t) => {
  const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root })
  const text = (path: string) => readFileSync(join(root, path), 'utf8')
  const anchors = (path: string) => new Set(Array.from(text(path).matchAll(/^#+ (.*)$/gm), ([, title = '']) => slug(title)))
  const slug = (title: string) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
  const broken = pages.flatMap((page) =>
    Array.from(text(page).matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g), ([, path = '', anchor]) => {
      const target = path === '' ? page : join(dirname(page), path)
      if (!existsSync(join(root, target))) return `${page}: ${path}`
      return anchor === undefined || !target.endsWith('.md') || anchors(target).has(anchor) ? null : `${page}: ${path}#${anchor}`
    }),
  )
  t.deepEqual(
    broken.filter((link) => link !== null),
    [],
  )
})

test('everything public of tensors and of the tape has an example', (t) => {
  const own = new Set(examples.map(({ symbol }) => symbol))
  const shown = manifest.filter(({ example }) => example.length > 0)
  const ops = new Set(shown.map(({ js }) => js))
  const methods = new Set(shown.filter(({ faces }) => faces.includes('method')).map(({ js }) => js))
  // Namespaces, whose functions are ops; the base class of Tensor; and what subclasses need.
  const exempt = new Set(['fft', 'linalg', 'constructor', 'handle', 'wrap'])
  const names = Object.keys(firn).filter((name) => name in tensors || name in autograd)
  const members = [tensors.Tensor.prototype, tensors.TensorOps.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype))
  const without = [
    ...names.filter((name) => !own.has(name) && !ops.has(name) && !exempt.has(name)),
    ...members.filter((name) => !own.has(`Tensor.${name}`) && !methods.has(name) && !exempt.has(name)).map((name) => `Tensor.${name}`),
  ]
  t.deepEqual(without, [], 'give each a line with @example in its JSDoc')
})
