// Run cargo with something to look at while it compiles.
import { stripVTControlCharacters } from 'node:util'
import { run } from './process.mjs'
import { colourEnv, isTerminal, ticker } from './terminal.mjs'
import { SetupError, cargoHint, findCargo } from './toolchain.mjs'

const statusLine = /^\s*(Compiling|Checking|Downloading|Downloaded|Updating|Locking|Adding|Blocking|Fresh|Finished|Building|Fetch)\b/
const progressBar = /^\s*(?:Building )?\[[=> ]*\] +(\d+)\/(\d+)/

/**
 * On a terminal cargo draws its own bar. Elsewhere (CI, a pipe) its bar is read, and told as a line every few seconds; its status
 * lines are dropped, whatever else it says is passed on.
 *
 * @param {string} what as in `building the Rust core`
 * @param {readonly string[]} args
 * @param {{ onStdout?: (text: string) => void }} [options]
 * @returns {Promise<{ code: number, hint: string }>}
 */
export async function cargo(what, args, { onStdout } = {}) {
  const command = findCargo()
  let step = 'looking up crates'
  let errors = ''
  let rest = ''
  /** @param {string} text */
  const read = (text) => {
    const lines = (rest + text).split(/\r\n|\r|\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const plain = stripVTControlCharacters(line)
      const bar = progressBar.exec(plain)
      if (bar) step = `${bar[1]} of ${bar[2]} compile steps`
      else if (/^\s*Download/.test(plain)) step = 'downloading crates'
      else if (/^\s*Blocking/.test(plain)) step = 'waiting for another cargo to end'
      if (bar || statusLine.test(plain) || plain.trim() === '') continue
      errors += `${plain}\n`
      process.stderr.write(`${line}\n`)
    }
  }
  const stop = isTerminal ? () => {} : ticker(() => `${what}: ${step}`)
  const code = await run(command, args, {
    env: { ...colourEnv, ...(isTerminal ? {} : { CARGO_TERM_PROGRESS_WHEN: 'always', CARGO_TERM_PROGRESS_WIDTH: '120' }) },
    ...(isTerminal ? {} : { onStderr: read }),
    ...(onStdout ? { onStdout } : {}),
  })
  stop()
  return { code, hint: code === 0 ? '' : cargoHint(errors) }
}

/**
 * Everyday builds choose the whole workspace, never one package: cargo gives small libraries the features that the chosen packages
 * want, so that another choice compiles rayon, and burn on top of it, once more.
 */
export const workspace = ['build', '--workspace']

/** @typedef {{ target: { name: string, crate_types: string[] }, filenames: string[], executable: string | null }} Artifact */

/**
 * @param {string} what @param {readonly string[]} args of cargo, the command first
 * @returns {Promise<Artifact[]>} what was made, or was fresh
 */
export async function compile(what, [command = 'build', ...args]) {
  let messages = ''
  const { code, hint } = await cargo(what, [command, '--message-format=json-render-diagnostics', ...args], {
    onStdout: (text) => (messages += text),
  })
  if (code !== 0) throw new SetupError(`${what} failed (cargo exit ${code}).${hint && `\n  ${hint}`}`)
  const artifacts = messages.split('\n').filter((line) => line.includes('"reason":"compiler-artifact"'))
  return artifacts.map((line) => JSON.parse(line))
}

/** @param {readonly Artifact[]} made @returns {string} the addon, as cargo names it */
export function sharedLibrary(made) {
  const addon = made.find(({ target }) => target.name === 'firn_node' && target.crate_types.includes('cdylib'))
  const file = addon?.filenames.find((name) => /\.(so|dylib|dll)$/.test(name))
  if (!file) throw new SetupError('cargo made no shared library firn_node: is crates/node still a cdylib?')
  return file
}

/** @param {readonly Artifact[]} made @param {string} name @returns {string} a program of the workspace */
export function program(made, name) {
  const file = made.find(({ target, executable }) => target.name === name && executable)?.executable
  if (!file) throw new SetupError(`cargo made no program ${name}`)
  return file
}
