#!/usr/bin/env node
// The command `firn`.
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
    const json = args.includes('--json')
    const [path, ...more] = args.filter((arg) => arg !== '--json')
    if (more.length > 0 || path?.startsWith('-') === true) {
      console.error(`firn inspect: expected one path and --json at most, got ${args.join(' ')}\n\n${help}`)
      process.exitCode = 1
      break
    }
    // Loaded here: it needs a native core, and `doctor` is there for want of one.
    const { inspect } = await import('./inspect.ts')
    process.exitCode = await inspect(path, { json })
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
