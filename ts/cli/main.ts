#!/usr/bin/env node
// The command `firn`.
import { parseArgs } from 'node:util'
import { doctor } from './doctor.ts'
import { packageVersion } from './version.ts'

const help = `firn ${packageVersion()}

  firn doctor [--json]   which native core is loaded and why, and what it finds on this machine
  firn inspect <path> [--json]
                         what is in a checkpoint, in the newest one of a run's folder, or in a safetensors file
  firn --version
`

const [command = '--help', ...args] = process.argv.slice(2)

switch (command) {
  case 'doctor':
    process.exitCode = await doctor({ json: args.includes('--json') })
    break
  case 'inspect': {
    const { values, positionals } = parseArgs({ args, options: { json: { type: 'boolean', default: false } }, allowPositionals: true })
    // Loaded here: it needs a native core, and `doctor` is there for want of one.
    const { inspect } = await import('./inspect.ts')
    process.exitCode = await inspect(positionals[0], values)
    break
  }
  case '--version':
  case '-v':
    console.log(packageVersion())
    break
  case '--help':
  case '-h':
    console.log(help)
    break
  default:
    console.error(`firn: there is no command '${command}'\n\n${help}`)
    process.exitCode = 1
}
