// Run a program in a folder and keep what it says.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { npmCommand } from '../../scripts/setup/packages.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Outcome {
  readonly code: number | null
  /** stdout and stderr, as they came. */
  readonly output: string
  readonly stdout: string
}

interface Options {
  readonly cwd: string
  /** Does what an outer npm or ava left in the environment reach the program? Default: no. */
  readonly inherit?: boolean
  readonly env?: Record<string, string>
}

/** `npm` means the npm that runs the tests. */
export function run(command: string, args: readonly string[], { cwd, inherit = false, env = {} }: Options): Promise<Outcome> {
  const [program, parameters] = command === 'npm' ? npmCommand([...args]) : [command, [...args]]
  const kept = Object.entries(process.env).filter(([key]) => inherit || !/^(npm_|NODE_|FIRN_|AVA_|FORCE_COLOR)/i.test(key))
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      cwd,
      env: { ...Object.fromEntries(kept), NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output, stdout }))
  })
}
