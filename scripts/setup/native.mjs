// The native addon: built with cargo when its sources changed, put where the loader looks first, native/firn.<platform>.node.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostPlatform } from '../platforms.mjs'
import { compile, sharedLibrary, workspace } from './cargo.mjs'
import { dim, duration } from './terminal.mjs'
import { root } from './toolchain.mjs'

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

/** @typedef {{ sources: string, features: string }} Stamp what native/ was built from */

/** Is the addon there, made from the sources as they are? */
export const coreIsCurrent = () => readStamp()?.sources === hashSources()

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
  const wanted = { sources: hashSources(), features: features ?? before?.features ?? '' }
  if (before && JSON.stringify(before) === JSON.stringify(wanted)) return
  const start = Date.now()
  console.log(`building the Rust core${before ? '' : ' (the first time takes some minutes: its libraries are compiled too)'}`)
  const asked = wanted.features.split(',').filter(Boolean)
  const made = await compile('building the Rust core', [
    ...workspace,
    '--lib',
    ...asked.map((feature) => `--features=firn-node/${feature}`),
  ])
  install(sharedLibrary(made), wanted)
  console.log(dim(`  Rust core built in ${duration(Date.now() - start)}`))
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
