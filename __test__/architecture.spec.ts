// The shape of the repository: arrows between folders and crates, file sizes, generated headers, and what the documents name.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('..', import.meta.url))
const packageJson = JSON.parse(read('package.json'))

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

const buildFolders = new Set(['node_modules', 'target', 'dist', 'pack', 'out'])

function files(...patterns: string[]): string[] {
  const found = globSync(patterns, { cwd: root, exclude: (path) => buildFolders.has(path.split(sep).at(-1) ?? '') })
  return found.map((path) => path.split(sep).join('/')).toSorted()
}

const isGenerated = (path: string) => /\.gen\.\w+$/.test(path)

/** Who may import whom, from lines such as `nn, run -> io -> tensor`: everything to the right, and what that may import. */
function readArrows(text: string): Map<string, Set<string>> {
  const direct = new Map<string, Set<string>>()
  for (const line of text.split(/[\n;]/)) {
    const chain = line.split('->').map((part) => part.match(/\w+/g) ?? [])
    for (const [i, left] of chain.entries()) {
      for (const name of left) {
        direct.set(name, new Set([...(direct.get(name) ?? []), ...(chain[i + 1] ?? [])]))
      }
    }
  }
  const reach = (name: string, seen: Set<string>): Set<string> => {
    for (const next of direct.get(name) ?? []) {
      if (seen.has(next)) continue
      seen.add(next)
      reach(next, seen)
    }
    return seen
  }
  return new Map(Array.from(direct.keys(), (name) => [name, reach(name, new Set())]))
}

/** The block of ARCHITECTURE.md that starts the lines of the two languages with `Rust:` and `TS:`. */
function documentedArrows(language: 'Rust' | 'TS'): Map<string, Set<string>> {
  const block = /```text\n(Rust:[^`]*)```/.exec(read('ARCHITECTURE.md'))?.[1] ?? ''
  const [rust = '', ts = ''] = block.split(/^TS:/m)
  const lines = language === 'Rust' ? rust.replace('Rust:', '') : ts
  return readArrows(
    lines
      .split(/[\n;]/)
      .filter((line) => line.includes('->'))
      .join('\n'),
  )
}

/** `ts/nn/linear.ts` -> `nn`, `ts/index.ts` -> `index`. */
const folderOf = (path: string) => path.split('/')[1]?.replace(/\.ts$/, '') ?? ''

interface Import {
  readonly specifier: string
  readonly reExport: boolean
}

function importsOf(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const statements = /\b(import|export)\b(?:[\w\s{},*$]*?from\s*|\s*\(?\s*)'([^']+)'/g
  return Array.from(code.matchAll(statements), (match) => ({ specifier: match[2] ?? '', reExport: match[1] === 'export' }))
}

/** What is wrong with the imports of one file of ts/. */
function importFaults(path: string, source: string, arrows: Map<string, Set<string>>): string[] {
  const faults: string[] = []
  const from = folderOf(path)
  for (const { specifier, reExport } of importsOf(source)) {
    if (!specifier.startsWith('.')) {
      const known = { ...packageJson.dependencies, ...packageJson.peerDependencies }
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
      if (!specifier.startsWith('node:') && !(name in known)) faults.push(`${path}: '${specifier}' is no dependency of package.json`)
      continue
    }
    const target = normalize(join(dirname(path), specifier))
      .split(sep)
      .join('/')
    if (!target.startsWith('ts/')) continue
    const to = folderOf(target)
    if (reExport && !path.endsWith('/index.ts')) faults.push(`${path}: only index.ts re-exports`)
    if (to === from) continue
    if (to !== 'errors' && arrows.get(from)?.has(to) !== true) faults.push(`${path}: ${from} may not import ${to} (${specifier})`)
    if (to !== 'errors' && !target.endsWith('/index.ts')) faults.push(`${path}: import ts/${to} through its index.ts, not ${specifier}`)
  }
  return faults
}

test('arrows: a chain reaches everything to its right, a brace holds strangers', (t) => {
  const arrows = readArrows('run -> graph -> { optim, data } -> nn -> tensor\n nn, run -> io -> tensor')
  t.deepEqual([...(arrows.get('graph') ?? [])].toSorted(), ['data', 'io', 'nn', 'optim', 'tensor'])
  t.false(arrows.get('optim')?.has('data'))
  t.deepEqual(importFaults('ts/nn/x.ts', "import { train } from '../run/index.ts'", arrows), [
    'ts/nn/x.ts: nn may not import run (../run/index.ts)',
  ])
  t.deepEqual(importFaults('ts/nn/x.ts', "import { Tensor } from '../tensor/tensor.ts'", arrows).length, 1)
  t.deepEqual(
    importFaults('ts/nn/x.ts', "export { tensor } from '../tensor/index.ts'\nimport { debounce } from 'lodash'", arrows).length,
    2,
  )
})

test('ts/ imports along the arrows of ARCHITECTURE.md only', (t) => {
  const arrows = documentedArrows('TS')
  const sources = files('ts/**/*.ts')
  t.true(sources.length > 0)
  const unknown = [...new Set(sources.map(folderOf))].filter((folder) => folder !== 'errors' && !arrows.has(folder))
  t.deepEqual(unknown, [], 'every folder of ts/ is in the arrows of ARCHITECTURE.md')
  t.deepEqual(
    sources.flatMap((path) => importFaults(path, read(path), arrows)),
    [],
  )
  t.deepEqual(importsOf(read('ts/errors.ts')), [], 'errors.ts imports nothing')
})

/** The names in the sections of a Cargo.toml that end up in the library: not dev-dependencies. */
function cargoDependencies(manifest: string): string[] {
  const sections = manifest.split(/^(?=\[)/m).filter((section) => /^\[(target\.[^\n]*\.)?(build-)?dependencies/.test(section))
  return sections.flatMap((section) => [
    ...Array.from(section.matchAll(/^([\w-]+)(?:\.\w+)*\s*=/gm), (match) => match[1] ?? ''),
    ...Array.from(section.matchAll(/^\[[^\n]*dependencies\.([\w-]+)\]/gm), (match) => match[1] ?? ''),
  ])
}

/** Our crates by their folder; burn and what it computes with by `burn`. */
const crateGroup = (name: string) => (/^(burn|cubecl)/.test(name) ? 'burn' : /^firn[-_](\w+)$/.exec(name)?.[1])

test('crates/ depend along the arrows of ARCHITECTURE.md only', (t) => {
  const arrows = documentedArrows('Rust')
  const faults = files('crates/*/Cargo.toml').flatMap((manifest) => {
    const crate = manifest.split('/')[1] ?? ''
    const may = arrows.get(crate)
    if (!may) return [`crates/${crate} is not in the arrows of ARCHITECTURE.md`]
    const used = new Set(cargoDependencies(read(manifest)).map(crateGroup))
    for (const path of files(`crates/${crate}/src/**/*.rs`)) {
      for (const match of read(path).matchAll(/\b((?:burn|cubecl)\w*|firn_\w+)::/g)) used.add(crateGroup(match[1] ?? ''))
    }
    return [...used].filter((group) => group && group !== crate && !may.has(group)).map((group) => `crates/${crate} may not use ${group}`)
  })
  t.deepEqual(faults, [])
})

test('only the bindings know JavaScript', (t) => {
  const bindings = /^crates\/(node|web)\//
  const knowing = files('crates/*/Cargo.toml').filter((path) =>
    cargoDependencies(read(path)).some((name) => /^(napi|wasm-bindgen|js-sys|web-sys)/.test(name)),
  )
  t.deepEqual(
    knowing.filter((path) => !bindings.test(path)),
    [],
  )
})

const limits = [
  { kind: 'TypeScript', limit: 300, patterns: ['ts/**/*.ts', 'scripts/**/*.{mjs,ts}', 'benches/**/*.{ts,mjs}', 'examples/**/*.ts'] },
  { kind: 'Rust', limit: 400, patterns: ['crates/**/*.rs'] },
  { kind: 'tests', limit: 400, patterns: ['__test__/**/*.ts'] },
  { kind: 'Python', limit: 400, patterns: ['scripts/**/*.py'] },
]

for (const { kind, limit, patterns } of limits) {
  test(`no hand-written file of ${kind} is longer than ${limit} lines`, (t) => {
    const sizes = files(...patterns)
      .filter((path) => !isGenerated(path))
      .map((path) => ({ path, lines: read(path).trimEnd().split('\n').length }))
      .toSorted((a, b) => a.lines - b.lines)
    const at = (share: number) => sizes[Math.floor((sizes.length - 1) * share)]?.lines
    t.log(`${sizes.length} files: median ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)}`)
    t.deepEqual(
      sizes.filter(({ lines }) => lines > limit),
      [],
    )
  })
}

test('a generated file says so, and where it comes from', (t) => {
  const generated = files('{ts,crates,__test__,docs,benches}/**/*.gen.*').filter((path) => !path.endsWith('.json'))
  const silent = generated.filter((path) => !read(path).slice(0, 500).includes('@generated'))
  t.deepEqual(silent, [])
})

test('every hand-written source opens with a line that says what it is for', (t) => {
  const sources = files('ts/**/*.ts', 'scripts/**/*.mjs', 'benches/**/*.ts', 'examples/**/*.ts', 'crates/*/{src,tests,benches}/**/*.rs')
  const mute = sources.filter((path) => !isGenerated(path) && !/^(#!.*\n)?(\/\/!?|\/\*\*) ?\S/.test(read(path)))
  t.deepEqual(mute, [])
})

const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']

test('the documents name only files that exist', (t) => {
  const missing = documents.flatMap((document) => {
    const text = read(document).replace(/```[\s\S]*?```/g, '')
    const spans = Array.from(text.matchAll(/`([^`\n]+)`/g), (match) => match[1] ?? '')
    const links = Array.from(text.matchAll(/\]\((?!\w+:)([^)#\s]+)/g), (match) => match[1] ?? '')
    const looksLikePath = /^(?:\.?[\w-]+\/[\w./-]*|[\w-]+\.(?:md|json|toml|ts|rs|mjs))$/
    const paths = [...spans.filter((span) => looksLikePath.test(span) && !span.startsWith('firn-ml/')), ...links]
    return paths.filter((path) => !existsSync(join(root, path))).map((path) => `${document}: ${path}`)
  })
  t.deepEqual(missing, [])
})

test('the documents name only commands that exist', (t) => {
  const missing = [...documents, ...files('docs/**/*.md')].flatMap((document) =>
    Array.from(read(document).matchAll(/\bnpm run ([\w:]+)/g), (match) => match[1] ?? '')
      .filter((name) => !(name in packageJson.scripts))
      .map((name) => `${document}: npm run ${name}`),
  )
  t.deepEqual(missing, [])
})

test('package-lock.json is whole, and names no registry', (t) => {
  const lock: Record<string, { version?: string; integrity?: string; resolved?: string; optionalDependencies?: object }> = JSON.parse(
    read('package-lock.json'),
  ).packages
  const locked = new Set(Object.keys(lock).map((path) => path.split('node_modules/').at(-1)))
  const entries = Object.entries(lock).filter(([path]) => path !== '')
  t.deepEqual(
    entries.filter(([, { version, integrity, resolved }]) => !version || !integrity || resolved).map(([path]) => path),
    [],
  )
  // npm drops what it cannot find from the lock without a word, and npm ci then fails on every machine.
  const lost = entries.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {})).filter((name) => !locked.has(name))
  t.deepEqual(lost, [])
})

test('no source names a home folder of the machine it was written on', (t) => {
  const tainted = files('{ts,crates,scripts,__test__,benches,examples}/**/*.{ts,rs,mjs,json}').filter((path) =>
    /["'`](\/home\/|\/root\/|\/Users\/)/.test(read(path)),
  )
  t.deepEqual(tainted, [])
})
