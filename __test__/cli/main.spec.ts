// The command `firn` itself: help, its version, and what it says of a command line that is wrong.
import { join } from 'node:path'
import test from 'ava'
import { packageVersion } from '../../ts/cli/version.ts'
import { root, run } from '../package/shell.ts'

const firn = (...args: string[]) => run(process.execPath, [join(root, 'ts/cli/main.ts'), ...args], { cwd: root })

const usages = { doctor: 'firn doctor [--json]', inspect: 'firn inspect <path> [--json]' }

for (const args of [[], ['--help'], ['-h'], ['help']]) {
  test(`${['firn', ...args].join(' ')} lists the commands`, async (t) => {
    const { code, stdout } = await firn(...args)
    t.is(code, 0)
    for (const part of [`firn ${packageVersion()}`, ...Object.values(usages)]) t.true(stdout.includes(part), stdout)
  })
}

for (const [command, usage] of Object.entries(usages)) {
  for (const args of [
    [command, '--help'],
    ['help', command],
    ['-h', command],
  ]) {
    test(`firn ${args.join(' ')} says how that command is called`, async (t) => {
      const { code, stdout } = await firn(...args)
      t.is(code, 0)
      t.is(stdout.split('\n')[0]?.trim(), usage)
    })
  }
}

test('the version', async (t) => {
  for (const flag of ['--version', '-v']) t.is((await firn(flag)).stdout.trim(), packageVersion())
})

test('a command line that is wrong ends with status 2, and names what is near', async (t) => {
  for (const [args, message] of [
    [['docter'], "firn: unknown command 'docter'; did you mean 'doctor'? (known: doctor, inspect)"],
    [['toString'], "firn: unknown command 'toString' (known: doctor, inspect)"],
    [['help', 'inspct'], "firn: unknown command 'inspct'; did you mean 'inspect'? (known: doctor, inspect)"],
    [['--verson'], "firn: unknown option '--verson'; did you mean '--version'? (known: --help, --version)"],
    [['doctor', '-x'], "firn doctor: unknown option '-x' (known: --json, --help)"],
    [['doctor', 'all'], "firn doctor: expected options alone, got 'all'"],
    [['--json'], 'firn: --json belongs to a command: doctor, inspect'],
  ] as const) {
    const { code, output } = await firn(...args)
    t.is(code, 2)
    t.deepEqual(output.trim().split('\n'), [message, 'firn --help says what there is and how it is called'])
  }
})
