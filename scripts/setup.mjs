// The one door to every npm script: brings this machine up to date, then runs the command. Plain JavaScript, no packages, Node 20.
import { commands } from './setup/commands.mjs'
import { bold, dim, red } from './setup/terminal.mjs'
import { SetupError, checkNode } from './setup/toolchain.mjs'

const [name = '', ...args] = process.argv.slice(2)
const command = commands[name]

if (!command) {
  const width = Math.max(...Object.keys(commands).map((key) => key.length))
  console.log(
    Object.entries(commands)
      .map(([key, { about }]) => `  ${bold(key.padEnd(width))}  ${dim(about)}`)
      .join('\n'),
  )
  process.exit(name === '' ? 0 : 1)
}

try {
  checkNode()
  process.exitCode = await command.run(args)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(`\n${red('✗')} ${error.message}`)
  process.exitCode = 1
}
