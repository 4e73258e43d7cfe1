// `firn doctor`, as a person types it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { root, run } from '../package/shell.ts'

const firn = (...args: string[]) => run(process.execPath, [join(root, 'ts/cli/main.ts'), ...args], { cwd: root })
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

test('doctor tells which core was loaded, and why that one', async (t) => {
  const { code, output } = await firn('doctor')
  t.is(code, 0, output)
  for (const part of [version, process.versions.node, process.platform, process.arch, 'native', 'goes before @firn-ml/', 'cpu']) {
    t.true(output.includes(part), `${part} in: ${output}`)
  }
})

test('doctor --json is the same for programs', async (t) => {
  const { stdout } = await firn('doctor', '--json')
  const { firn: ours, core, error } = JSON.parse(stdout)
  t.is(ours, version)
  t.is(core.version, version)
  t.true(core.devices.includes('cpu'))
  t.true(core.threads >= 1 && core.cores >= 1)
  t.is(error, undefined)
})

test('doctor ends with status 1 and says what to do when no core loads', async (t) => {
  const { code, output } = await run(process.execPath, [join(root, 'ts/cli/main.ts'), 'doctor'], {
    cwd: root,
    env: { FIRN_NATIVE_PATH: '/nowhere' },
  })
  t.is(code, 1, output)
  t.regex(output, /\/nowhere/)
  t.regex(output, /npm install @firn-ml\//)
})
