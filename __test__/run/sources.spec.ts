// What a run keeps of the program that started it.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { HyperGraph } from '../../ts/index.ts'
import { folder } from '../graph/toys.ts'

/** Files in a folder of their own, and what a run of one of them keeps. */
async function kept(t: ExecutionContext, files: Readonly<Record<string, string>>, entry: string): Promise<readonly string[]> {
  const project = folder(t)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, name)), { recursive: true })
    writeFileSync(join(project, name), text)
  }
  const before = process.argv
  process.argv = [process.execPath, join(project, entry)]
  t.teardown(() => void (process.argv = before))
  const { outDir } = await new HyperGraph().run([], { outDir: folder(t) })
  process.argv = before
  const src = join(outDir, 'src')
  const names = globSync('**/*.*', { cwd: src }).toSorted()
  for (const name of names) t.true([files[name], files[join(dirname(entry), name)]].includes(readFileSync(join(src, name), 'utf8')))
  return names
}

test.serial('the entry script and what it imports, in their folders: types, a cycle, JSON, once each', async (t) => {
  const files = {
    'package.json': '{}',
    'train.ts': `import { net } from './lib/net.ts'\nimport type { Options } from './options.ts'\nenum Kind { a }\nconst x = <T,>(v: T) => v`,
    'options.ts': 'export interface Options { readonly a: number }',
    'lib/net.ts': `import config from "../config.json" with { type: 'json' }\nexport * from './deep/layers.ts'`,
    'lib/deep/layers.ts': `import { net } from '../net.ts'\nimport 'firn-ml'`,
    'config.json': '{ "a": 1 }',
    'other.ts': '',
  }
  t.deepEqual(await kept(t, files, 'train.ts'), ['config.json', 'lib/deep/layers.ts', 'lib/net.ts', 'options.ts', 'train.ts'])
})

test.serial('imports of every kind, and files named as bundlers and TypeScript name them', async (t) => {
  const files = {
    'package.json': JSON.stringify({ imports: { '#alias': './alias.js' } }),
    'app/main.mjs': [
      `const a = await import('./a.js')`,
      `const b = require("./b")`,
      `export {\n  c,\n} from '../c'`,
      `new Worker(new URL('./d.mjs', import.meta.url))`,
      `import '#alias'`,
      `import './missing.js'; import ./broken`,
      `import('./' + name)`,
    ].join('\n'),
    'app/a.ts': '',
    'app/b.cjs': '',
    'c/index.ts': '',
    'app/d.mjs': '',
    'alias.js': '',
  }
  t.deepEqual(await kept(t, files, 'app/main.mjs'), ['alias.js', 'app/a.ts', 'app/b.cjs', 'app/d.mjs', 'app/main.mjs', 'c/index.ts'])
})

test.serial('what is outside of the project, installed, or too large to be source is left out', async (t) => {
  const files = {
    'outside.js': '',
    'project/package.json': '{}',
    'project/main.js': `import '../outside.js'\nimport './node_modules/a/a.js'\nimport './data.json' with { type: 'json' }\nimport './b.js'`,
    'project/node_modules/a/a.js': '',
    'project/data.json': `"${'x'.repeat(2 ** 20)}"`,
    'project/b.js': '',
  }
  t.deepEqual(await kept(t, files, 'project/main.js'), ['b.js', 'main.js'])
})

test.serial('a program without a file, and one of an installed package, cost nothing', async (t) => {
  t.deepEqual(await kept(t, { 'package.json': '{}' }, 'nothing.js'), [])
  const files = { 'node_modules/tool/package.json': '{}', 'node_modules/tool/cli.js': `import './a.js'`, 'node_modules/tool/a.js': '' }
  t.deepEqual(await kept(t, files, 'node_modules/tool/cli.js'), ['cli.js'])
})
