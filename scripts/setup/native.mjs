// The native addon: built with cargo when its sources changed, put where the loader looks first, native/firn.<platform>.node.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostPlatform } from '../platforms.mjs'
import { cargo } from './cargo.mjs'
import { dim, duration } from './terminal.mjs'
import { SetupError, root } from './toolchain.mjs'

const folder = join(root, 'native')

/** @returns {{ addon: string, stamp: string }} */
export function nativeFiles() {
  const addon = join(folder, `firn.${hostPlatform().name}.node`)
  return { addon, stamp: `${addon}.json` }
}

/** One hash over everything cargo would look at; a few milliseconds, where asking cargo costs a second. */
function hashSources() {
  const hash = createHash('sha256').update(process.env.RUSTFLAGS ?? '')
  /** @param {string} path */
  const add = (path) => {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  for (const file of ['Cargo.toml', 'Cargo.lock', '.cargo/config.toml', 'rust-toolchain.toml']) if (existsSync(join(root, file))) add(file)
  for (const entry of readdirSync(join(root, 'crates'), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) add(join(entry.parentPath, entry.name).slice(root.length))
  }
  return hash.digest('hex')
}

/** @typedef {{ sources: string, features: string, profile: string }} Stamp what native/ was built from */

/** @returns {Stamp | undefined} */
function readStamp() {
  const { addon, stamp } = nativeFiles()
  if (!existsSync(addon) || !existsSync(stamp)) return undefined
  return JSON.parse(readFileSync(stamp, 'utf8'))
}

/**
 * Builds the addon if it is not there, or if something it is made of changed. Built once with other features, it is rebuilt with these
 * until `npm run build:native` says otherwise.
 *
 * @param {{ features?: string }} [options] cargo features of crates/node; default: those of the last build
 */
export async function ensureNative({ features } = {}) {
  const before = readStamp()
  const wanted = { sources: hashSources(), features: features ?? before?.features ?? '', profile: 'dev' }
  if (before && JSON.stringify(before) === JSON.stringify(wanted)) return
  const start = Date.now()
  console.log(`building the Rust core${before ? '' : ' (the first time takes some minutes: its libraries are compiled too)'}`)
  const built = await buildAddon({ features: wanted.features, profile: wanted.profile })
  install(built, wanted)
  console.log(dim(`  Rust core built in ${duration(Date.now() - start)}`))
}

/**
 * @param {{ features?: string, profile?: string, target?: string, command?: 'build' | 'zigbuild' }} options target: a Rust triple, default
 *   this machine's
 * @returns {Promise<string>} the shared library cargo made
 */
export async function buildAddon({ features = '', profile = 'dev', target, command = 'build' }) {
  let messages = ''
  const { code, hint } = await cargo(
    'building the Rust core',
    [
      command,
      '--package=firn-node',
      `--profile=${profile}`,
      '--message-format=json-render-diagnostics',
      ...(features ? [`--features=${features}`] : []),
      ...(target ? [`--target=${target}`] : []),
    ],
    { onStdout: (text) => (messages += text) },
  )
  if (code !== 0) throw new SetupError(`The Rust core did not build (cargo exit ${code}).${hint && `\n  ${hint}`}`)
  for (const line of messages.split('\n').toReversed()) {
    if (!line.includes('"compiler-artifact"')) continue
    const { target: made, filenames } = JSON.parse(line)
    if (made.name === 'firn_node' && made.crate_types.includes('cdylib'))
      return filenames.find((/** @type {string} */ f) => /\.(so|dylib|dll)$/.test(f))
  }
  throw new SetupError('cargo built no shared library firn_node: is crates/node still a cdylib?')
}

/** @param {string} library @param {Stamp} stamp */
function install(library, stamp) {
  const files = nativeFiles()
  mkdirSync(folder, { recursive: true })
  rmSync(files.stamp, { force: true })
  // Renamed, not overwritten: a process that has the old addon loaded keeps it.
  const fresh = `${files.addon}.${process.pid}`
  copyFileSync(library, fresh)
  renameSync(fresh, files.addon)
  writeFileSync(files.stamp, JSON.stringify(stamp))
}
