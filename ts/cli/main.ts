#!/usr/bin/env node
// The command `firn`. Ends with status 0, with 1 when a command cannot do what it is asked for, with 2 when the command line is wrong.
import { FirnError } from '../errors.ts'
import { type Commands, help, readRequest } from './commandLine.ts'
import { doctor } from './doctor.ts'
import { packageVersion } from './version.ts'

const commands: Commands = {
  doctor: {
    operands: [],
    about: ['which native core is loaded and why, and what it finds on this machine'],
    run: (_, options) => doctor(options),
  },
  inspect: {
    operands: ['<path>'],
    about: ["what is in a checkpoint, in the newest one of a run's folder, or in a safetensors file"],
    run: async ([path = ''], options) => {
      // Loaded here: it needs a native core, and `doctor` is there for want of one.
      const { inspect } = await import('./inspect.ts')
      return inspect(path, options)
    },
  },
}

try {
  const request = readRequest(commands, process.argv.slice(2))
  if (request.kind === 'run') process.exitCode = await request.command.run(request.operands, { json: request.json })
  else if (request.kind === 'version') console.log(packageVersion())
  else console.log(`${request.command === null ? `firn ${packageVersion()}\n\n` : ''}${help(commands, request.command)}`)
} catch (error) {
  if (!(error instanceof FirnError)) throw error
  console.error(`${error.message}\nfirn --help says what there is and how it is called`)
  process.exitCode = 2
}
