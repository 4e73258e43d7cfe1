import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const project = fileURLToPath(new URL('types/tsconfig.json', import.meta.url))
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

test('the compiler accepts what it should, and refuses every mistake that types/*.ts expects it to', (t) => {
  const { stdout, status } = spawnSync(process.execPath, [tsc, '--noEmit', '-p', project], { encoding: 'utf8' })
  t.is(stdout, '')
  t.is(status, 0)
})
