#!/usr/bin/env node
// The command `firn`.
import { doctor } from './doctor.ts'
import { packageVersion } from './version.ts'

const help = `firn ${packageVersion()}

  firn doctor [--json]   which native core is loaded and why, and what it finds on this machine
  firn --version
`

const [command = '--help', ...args] = process.argv.slice(2)

switch (command) {
  case 'doctor':
    process.exitCode = await doctor({ json: args.includes('--json') })
    break
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
