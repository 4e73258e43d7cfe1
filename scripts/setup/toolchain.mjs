// Is what firn needs on this machine? Says what is missing and how to get it.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** A problem of the machine, not of the code: printed without a stack. */
export class SetupError extends Error {}

/** @param {string} path a JSON file of the repository */
export const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))

/** @param {string} version @param {string} least */
function atLeast(version, least) {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number))
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/**
 * Does a version satisfy a range of the two forms `engines.node` uses, `^20.19.0 || >=22.12.0`?
 *
 * @param {string} version @param {string} range
 */
export function satisfies(version, range) {
  return range.split('||').some((part) => {
    const least = part.trim().replace(/^(\^|>=)/, '')
    const sameMajor = !part.trim().startsWith('^') || version.split('.')[0] === least.split('.')[0]
    return sameMajor && atLeast(version, least)
  })
}

export function checkNode() {
  const range = readJson('package.json').engines.node
  if (satisfies(process.versions.node, range)) return
  throw new SetupError(`firn needs Node ${range}; this is Node ${process.versions.node}.
  Get a newer one from https://nodejs.org/ (or with your version manager: nvm install 24, fnm install 24, volta install node@24).`)
}

const cargoName = process.platform === 'win32' ? 'cargo.exe' : 'cargo'

/**
 * The path of a cargo new enough for the workspace. rustup's folder is looked into as well: a shell that was open while Rust was
 * installed does not have it in its PATH yet.
 *
 * @returns {string}
 */
export function findCargo() {
  const least = /^rust-version\s*=\s*"([\d.]+)"/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))?.[1] ?? '1.0'
  const folders = [...(process.env.PATH ?? '').split(delimiter), join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin')]
  const cargo = folders.map((folder) => join(folder, cargoName)).find((path) => existsSync(path))
  const install =
    process.platform === 'win32'
      ? 'winget install Rustlang.Rustup   (and the "Desktop development with C++" part of Visual Studio Build Tools)'
      : "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
  if (!cargo) {
    throw new SetupError(`firn's core is written in Rust, and cargo was not found. Install Rust ${least} or newer:
  ${install}
then run the command again.`)
  }
  const answer = spawnSync(cargo, ['--version'], { encoding: 'utf8', cwd: root })
  const version = /^cargo (\d+\.\d+\.\d+)/.exec(answer.stdout ?? '')?.[1]
  if (!version)
    throw new SetupError(`${cargo} does not start: ${(answer.stderr || answer.error?.message || '').trim()}\nTry: rustup default stable`)
  if (!atLeast(version, least)) {
    throw new SetupError(`firn needs Rust ${least} or newer; ${cargo} is ${version}. Update it: rustup update stable`)
  }
  return cargo
}

/** @param {string} output what cargo printed @returns {string} what to do about it, or nothing */
export function cargoHint(output) {
  if (/linker `[^`]*` not found|link\.exe` not found/.test(output)) {
    const remedy = { darwin: 'xcode-select --install', win32: 'install Visual Studio Build Tools with "Desktop development with C++"' }
    const text =
      process.platform === 'darwin' || process.platform === 'win32' ? remedy[process.platform] : 'sudo apt-get install build-essential'
    return `A C linker is missing. ${text}`
  }
  if (/failed to (download|fetch)|Could not resolve host|spurious network error/.test(output)) {
    return 'cargo could not download crates: check the network (and proxy), then run the command again; what was built is kept.'
  }
  if (/signal: 9|SIGKILL|out of memory/i.test(output))
    return 'The compiler was killed, probably for lack of memory: try CARGO_BUILD_JOBS=1.'
  return ''
}
