// The words of a command line: which command, with which arguments and options, or what is wrong with them.
import { parseArgs } from 'node:util'
import { FirnError, unknownName } from '../errors.ts'

/** How a command is called. */
export interface Command {
  /** What it takes, as help prints it: `['<path>']`. */
  readonly operands: readonly string[]
  /** What it does, lines as help prints them. */
  readonly about: readonly string[]
  run(operands: readonly string[], options: { readonly json: boolean }): Promise<number>
}

export type Commands = Readonly<Record<string, Command>>

/** What a command line asks for. */
export type Request =
  | { readonly kind: 'help'; readonly command: string | null }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly command: Command; readonly operands: readonly string[]; readonly json: boolean }

const options = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/** Reads a command line. Fails with code `'argument'`, naming what is unknown, missing or too much, and what is near it. */
export function readRequest(commands: Commands, args: readonly string[]): Request {
  // Not strict, since the errors of that know no nearest name.
  const { values, positionals, tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true })
  const [first, ...rest] = positionals
  const asksHelp = first === 'help' || values.help === true
  const [name, operands] = first === 'help' ? [rest[0], rest.slice(1)] : [first, rest]
  const what = name === undefined ? 'firn' : `firn ${name}`
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  if (name !== undefined && command === undefined) throw unknownName('firn', 'command', name, Object.keys(commands))
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (!Object.hasOwn(options, token.name))
      throw unknownName(what, 'option', token.rawName, command === undefined ? ['--help', '--version'] : ['--json', '--help'])
    if (token.value !== undefined) throw new FirnError('argument', `${what}: ${token.rawName} takes no value, got '${token.value}'`)
  }
  if (asksHelp) return { kind: 'help', command: name ?? null }
  if (values.version === true) return { kind: 'version' }
  if (command === undefined) {
    if (values.json === true) throw new FirnError('argument', `firn: --json belongs to a command: ${Object.keys(commands).join(', ')}`)
    return { kind: 'help', command: null }
  }
  if (operands.length !== command.operands.length) {
    const given = operands.length === 0 ? 'nothing' : operands.map((operand) => `'${operand}'`).join(', ')
    throw new FirnError('argument', `${what}: expected ${command.operands.join(' ') || 'options alone'}, got ${given}`)
  }
  return { kind: 'run', command, operands, json: values.json === true }
}

/** How a command is called, or all of them. */
export function help(commands: Commands, name: string | null): string {
  const usage = (each: string): string => ['firn', each, ...(commands[each]?.operands ?? []), '[--json]'].join(' ')
  const about = (each: string): string => (commands[each]?.about ?? []).map((line) => `      ${line}`).join('\n')
  const shown = name === null ? Object.keys(commands) : [name]
  const lines = shown.map((each) => `  ${usage(each)}\n${about(each)}`)
  if (name === null)
    lines.push('  firn --version\n      the version of firn', '  firn help <command>, firn <command> --help\n      how it is called')
  return lines.join('\n')
}
