// Every npm script by name: what it makes ready first, and what it runs.
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cargo, compile, program, workspace } from './cargo.mjs'
import { coreIsCurrent, ensureNative } from './native.mjs'
import { bin, ensurePackages, findNode } from './packages.mjs'
import { run } from './process.mjs'
import { runSteps } from './steps.mjs'
import { findCargo, root } from './toolchain.mjs'

/** @typedef {import('./steps.mjs').Step} Step */
/** @typedef {{ about: string, run: (args: string[]) => Promise<number> }} Command */

/** @param {string} file @param {string[]} args runs TypeScript from the sources: `firn-source` makes 'firn-ml' mean ts/ */
const script = (file, args) => run(findNode(), ['--conditions=firn-source', file, ...args], { stdin: true })

/** @param {string} file a program for which the core has to be built */
const withCore = (file) => async (/** @type {string[]} */ args) => {
  await ensurePackagesAndCore()
  return script(file, args)
}

async function ensurePackagesAndCore() {
  // Before anything is downloaded: without Rust there is no point.
  if (!coreIsCurrent()) findCargo()
  await ensurePackages()
  await ensureNative()
}

/** @param {string[]} args */
async function buildNative(args) {
  const { values } = parseArgs({ args, options: { features: { type: 'string', default: '' } } })
  await ensurePackages()
  await ensureNative(values)
  return 0
}

export async function buildTs() {
  await ensurePackages()
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const code = await run(findNode(), [bin('typescript'), '--project', 'tsconfig.build.json'])
  if (code === 0) chmodSync(join(root, 'dist/cli/main.js'), 0o755)
  return code
}

/** @param {string[]} args @returns {Promise<number>} the first that fails decides */
async function generate(args) {
  const made = await compile('building the generator', [...workspace, '--bins'])
  const code = await run(program(made, 'xtask'), ['gen', ...args])
  return code || run(process.execPath, ['scripts/gen-platforms.mjs', ...args])
}

/** @param {string} name @param {string} packageName @param {string[]} args @returns {Step} */
const tool = (name, packageName, args) => ({ name, command: [findNode(), bin(packageName), ...args] })
const packageSpec = '__test__/package.spec.ts'

/** Seconds, and first: a slip in the formatting should not wait for the compiler. @returns {Step[]} */
const quickChecks = () => [
  tool('format (oxfmt)', 'oxfmt', ['--check']),
  { name: 'format (rustfmt)', cargo: ['fmt', '--all', '--check'] },
  tool('lint (oxlint)', 'oxlint', ['--deny-warnings']),
  tool('types (tsc)', 'typescript', []),
  tool('types of scripts/ (tsc)', 'typescript', ['--project', 'scripts']),
]

/** What needs Rust to be compiled. @type {Step[]} */
const rustChecks = [
  { name: 'generated files are fresh', work: () => generate(['--check']) },
  { name: 'lint (clippy)', cargo: ['clippy', '--workspace', '--all-targets', '--', '--deny', 'warnings'] },
]

/** @param {string[]} args @returns {Step} */
const rustTests = (args) => ({ name: 'tests (Rust)', cargo: ['test', '--workspace', ...args], live: true, counts: 'cargo' })

/** @param {string} name @param {string[]} args @returns {Step} */
const avaTests = (name, args) => ({ name, command: [findNode(), bin('ava'), ...args], live: true, counts: 'ava' })

/** @type {Step} */
const core = { name: 'Rust core', work: () => ensureNative().then(() => 0) }

/** @type {Record<string, Command>} */
export const commands = {
  quickstart: { about: 'train a small network, from a bare clone', run: withCore('examples/digits.ts') },
  test: {
    about: 'everything CI does: checks, Rust tests, TypeScript tests, the packed package',
    run: async () => {
      findCargo()
      await ensurePackages()
      return runSteps([
        ...quickChecks(),
        core,
        ...rustChecks,
        rustTests([]),
        avaTests('tests (TypeScript)', ['__test__/**/*.spec.ts', `!${packageSpec}`]),
        avaTests('tests (the packed package)', [packageSpec]),
      ])
    },
  },
  'test:rust': { about: 'Rust tests only; takes cargo test arguments', run: async (args) => runSteps([rustTests(args)]) },
  'test:ts': {
    about: 'TypeScript tests only; takes files and ava arguments',
    run: async (args) => {
      await ensurePackagesAndCore()
      return runSteps([avaTests('tests (TypeScript)', args.length > 0 ? args : ['__test__/**/*.spec.ts', `!${packageSpec}`])])
    },
  },
  check: {
    about: 'formatting, lints, types, generated files: all but the tests',
    run: async () => {
      await ensurePackages()
      return runSteps([...quickChecks(), ...rustChecks])
    },
  },
  build: { about: 'the native core and dist/', run: async () => (await buildNative([])) || buildTs() },
  'build:native': { about: 'the native core into native/; takes --features', run: buildNative },
  'build:ts': { about: 'JavaScript and types into dist/', run: buildTs },
  gen: { about: 'write the generated files', run: () => generate([]) },
  'gen:check': { about: 'are the generated files what their sources give?', run: () => generate(['--check']) },
  lint: {
    about: 'oxlint and clippy; takes --fix',
    run: async (args) => {
      await ensurePackages()
      const code = await run(findNode(), [bin('oxlint'), '--deny-warnings', ...args])
      const fix = args.includes('--fix') ? ['--fix', '--allow-dirty', '--allow-staged'] : []
      return code || (await cargo('clippy', ['clippy', '--workspace', '--all-targets', ...fix, '--', '--deny', 'warnings'])).code
    },
  },
  format: {
    about: 'oxfmt and rustfmt',
    run: async () => {
      await ensurePackages()
      return (await run(findNode(), [bin('oxfmt')])) || (await cargo('rustfmt', ['fmt', '--all'])).code
    },
  },
  fixtures: {
    about: 'expected values from PyTorch (needs Python with torch); takes family names',
    run: (args) => run(process.execPath, ['scripts/fixtures/run.mjs', ...args]),
  },
  'fixtures:firn': {
    about: "states of firn's optimizers for PyTorch to go on from; then `npm run fixtures -- optim_torch`",
    run: withCore('scripts/fixtures/optim_firn.ts'),
  },
  conformance: {
    about: 'every op against PyTorch, column by column, into docs/conformance.md',
    run: withCore('scripts/conformance.ts'),
  },
  property: {
    about: 'random programs of random ops; takes --runs, --seed and --all',
    run: withCore('scripts/property.ts'),
  },
  fuzz: {
    about: 'damaged and hostile files, each kind; takes --count',
    run: async (args) => {
      const { values } = parseArgs({ args, options: { count: { type: 'string', default: '10000' } } })
      process.env.FIRN_FUZZ = values.count
      await ensurePackagesAndCore()
      return runSteps([avaTests('damaged and hostile files', ['__test__/**/fuzz.spec.ts', '--timeout=30m'])])
    },
  },
  bench: { about: 'benchmarks; takes topics', run: withCore('benches/run.mjs') },
  'bench:peers': { about: 'the same work in other libraries', run: withCore('benches/peers/run.mjs') },
  'bench:charts': { about: 'charts and tables of what the benchmarks measured', run: (args) => script('benches/charts/run.mjs', args) },
  'docs:terminal': { about: 'docs/images of a run in a terminal (Linux)', run: withCore('scripts/terminal.mjs') },
  pack: {
    about: 'tarballs of firn-ml and this platform into pack/; takes --release',
    run: async (args) => {
      await ensurePackages()
      return run(process.execPath, ['scripts/pack.mjs', ...args])
    },
  },
  doctor: {
    about: 'which core is loaded, and what it finds on this machine',
    run: async (args) => {
      await ensurePackages()
      return script('ts/cli/main.ts', ['doctor', ...args])
    },
  },
}
