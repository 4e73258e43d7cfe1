// What the compiler accepts and refuses, how soon, and what editors show.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
// Unstable by name; the version of the compiler is pinned.
import { API, NodeBuilderFlags } from 'typescript/unstable/sync'

const root = fileURLToPath(new URL('..', import.meta.url))
const project = fileURLToPath(new URL('types/tsconfig.json', import.meta.url))
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

test('the compiler accepts what it should, and refuses every mistake that types/*.ts expects it to', (t) => {
  const { stdout, status } = spawnSync(process.execPath, [tsc, '--noEmit', '-p', project], { encoding: 'utf8' })
  t.is(stdout, '')
  t.is(status, 0)
})

/** Checks files in a folder of their own, which is not part of the repository. */
function checkAlone(t: ExecutionContext, files: Readonly<Record<string, string>>, ...flags: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'firn-types-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const paths = { 'firn-ml': [join(root, 'ts/index.ts')], 'firn-ml/*': [join(root, 'ts/*/index.ts')] }
  const compilerOptions = { typeRoots: [join(root, 'node_modules/@types')], paths }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: Object.keys(files) }
  for (const [name, text] of Object.entries({ 'package.json': '{"type":"module"}', 'tsconfig.json': JSON.stringify(config), ...files }))
    writeFileSync(join(folder, name), text)
  return spawnSync(process.execPath, [tsc, '--noEmit', '-p', folder, ...flags], { cwd: folder, encoding: 'utf8' }).stdout
}

// A directive is content with any error; one of another kind, from a slip in the test, would go unseen.
test('each mistake is refused for the reason that is written above it, and for no other', (t) => {
  const directive = /^( *\/\/ )@ts-expect-error (.*)$/
  const files = ['graph.ts', 'data.ts'].map((name) => [name, readFileSync(join(dirname(project), name), 'utf8')] as const)
  const bare = files.map(([name, text]) => [name, text.replaceAll('@ts-expect-error ', '')] as const)
  const told = checkAlone(t, Object.fromEntries(bare)).split(/\n(?=\S)/)
  const expected = files.flatMap(([name, text]) =>
    text.split('\n').flatMap((line, i) => {
      const [, , reason] = directive.exec(line) ?? []
      return reason === undefined ? [] : [{ at: `${name}(${i + 2},`, reason }]
    }),
  )
  t.true(expected.length > 20)
  for (const { at, reason } of expected) {
    const errors = told.filter((error) => error.startsWith(at))
    t.true(errors.length === 1 && errors[0]?.includes(reason), `${at}: ${reason}\n${errors.join('\n')}`)
  }
  t.is(told.filter((error) => error.trim() !== '').length, expected.length)
})

/** A graph of `length` nodes, each of which reads the one before and the first, over a few kinds. */
function chainOf(length: number): string {
  const kinds = [
    (i: number) => `new Node({ forward: (_, x) => x.n${i - 1}.add(x.n0) })`,
    (i: number) => `new ModuleNode({ module: new nn.Linear(1, 1), forward: (n, x) => n.module.forward(x.n${i - 1}) })`,
    (i: number) => `new LossNode({ forward: (_, x) => x.n${i - 1}.mul(x.n0) })`,
    (i: number) => `new Node({ factor: ${i}, forward: (n, x) => x.n${i - 1}.mul(n.factor) })`,
  ]
  const nodes = Array.from({ length: length - 1 }, (_, i) => `  .add('n${i + 1}', ${kinds[i % kinds.length]?.(i + 1)})`)
  return [
    `import { HyperGraph, LossNode, ModuleNode, nn, Node, ones, type Tensor } from 'firn-ml'`,
    `export const graph = new HyperGraph()`,
    `  .add('n0', new Node({ forward: () => ones([1]) }))`,
    ...nodes,
    `const out = await graph.step()`,
    `export const last: Tensor = out.n${length - 1}`,
    `// @ts-expect-error Property 'n${length}' does not exist`,
    `graph.add('late', new Node({ forward: (_, x) => x.n${length} }))`,
    '',
  ].join('\n')
}

test('a chain of 80 nodes checks without errors', (t) => {
  const spent = [2, 80].map((length) => {
    const stdout = checkAlone(t, { 'chain.ts': chainOf(length) }, '--extendedDiagnostics')
    t.notRegex(stdout, /error TS/)
    const [seconds = NaN, instantiations = NaN] = [/^Check time: +([\d.]+)s/m, /^Instantiations: +(\d+)/m].map((line) =>
      Number(line.exec(stdout)?.[1]),
    )
    return { seconds, instantiations }
  })
  const [two, eighty] = spent
  if (two === undefined || eighty === undefined) return t.fail()
  t.log(
    `checked in ${eighty.seconds} s, firn itself and 2 nodes in ${two.seconds} s; ${eighty.instantiations - two.instantiations} instantiations more`,
  )
  // Per node about a thousand; it was fourteen thousand when the type of the outputs was not flat.
  t.true(eighty.instantiations - two.instantiations < 80 * 3000)
})

// This compiler lists properties by their names.
test('an editor shows, for x in a forward, the nodes before it as one list', (t) => {
  const api = new API({ cwd: root })
  t.teardown(() => api.close())
  const [opened] = api.updateSnapshot({ openProjects: [project] }).getProjects()
  const file = fileURLToPath(new URL('types/shown.ts', import.meta.url))
  const text = readFileSync(file, 'utf8')
  const shown = Array.from(text.matchAll(/\/\* (\w+) \*\/ x\b/g), ({ 0: whole, 1: name, index }) => {
    const type = opened?.checker.getTypeAtPosition(file, index + whole.length - 1)
    return [name, type && opened?.checker.typeToString(type, undefined, NodeBuilderFlags.NoTruncation)]
  })
  t.deepEqual(Object.fromEntries(shown), {
    first: 'GraphOutputCache<object>',
    third: 'GraphOutputCache<{ readonly count: number; readonly data: { readonly x: Tensor<"float32">; readonly y: Tensor<"int64">; }; }>',
    loss: 'GraphOutputCache<{ readonly count: number; readonly data: { readonly x: Tensor<"float32">; readonly y: Tensor<"int64">; }; readonly net: Tensor<"float32">; }>',
    cache:
      'GraphOutputCache<{ readonly count: number; readonly data: { readonly x: Tensor<"float32">; readonly y: Tensor<"int64">; }; readonly loss: Tensor<"float32">; readonly net: Tensor<"float32">; }>',
  })
})
