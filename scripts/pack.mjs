// `npm run pack`: the tarballs of firn-ml and of its platform packages into pack/, exactly as they would be published.
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { buildRelease } from './build-addon.mjs'
import { inspectElf, newest } from './elf.mjs'
import { hostPlatform, licences, platformPackage, platforms } from './platforms.mjs'
import { buildTs } from './setup/commands.mjs'
import { ensureNative, nativeFiles } from './setup/native.mjs'
import { npmCommand } from './setup/packages.mjs'
import { run } from './setup/process.mjs'
import { SetupError, readJson, root } from './setup/toolchain.mjs'

/** @typedef {import('./platforms.mjs').Platform} Platform */

const { values } = parseArgs({
  options: {
    release: { type: 'boolean', default: false }, // build the addon as it is published, not as every day
    prebuilt: { type: 'boolean', default: false }, // build none: take this platform's from npm/<platform>/
    all: { type: 'boolean', default: false }, // build none: take every platform's from npm/<platform>/
    out: { type: 'string', default: 'pack' },
    refuse: { type: 'boolean', default: false }, // npm publish in the work tree ends here
  },
})

const out = join(root, values.out)
const published = values.release || values.prebuilt || values.all
const stage = join(out, 'stage')

try {
  if (values.refuse) throw new SetupError('firn-ml is published from its tarballs, by the release workflow: npm run pack makes them.')
  mkdirSync(out, { recursive: true })
  for (const name of readdirSync(out)) if (name.endsWith('.tgz')) rmSync(join(out, name))
  rmSync(stage, { recursive: true, force: true })
  const addons = await collectAddons()
  if ((await buildTs()) !== 0) throw new SetupError('dist/ did not build: see above')
  for (const [platform, addon] of addons) await packPlatform(platform, addon)
  await packRoot()
  rmSync(stage, { recursive: true })
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

/** @returns {Promise<[Platform, string][]>} */
async function collectAddons() {
  if (values.all || values.prebuilt) {
    const wanted = values.all ? platforms : [hostPlatform()]
    const found = wanted.map((one) => /** @type {[Platform, string]} */ ([one, join(root, 'npm', one.name, one.addon)]))
    const missing = found.filter(([, addon]) => !existsSync(addon)).map(([{ name }]) => `npm/${name}`)
    if (missing.length > 0) throw new SetupError(`There is no addon in ${missing.join(', ')}: scripts/build-addon.mjs makes one.`)
    return found
  }
  const platform = hostPlatform()
  if (values.release) return [[platform, await buildRelease(platform)]]
  await ensureNative()
  return [[platform, nativeFiles().addon]]
}

/** @param {Platform} platform @param {string} addon */
async function packPlatform(platform, addon) {
  const folder = join(stage, platform.name)
  mkdirSync(folder, { recursive: true })
  copyFileSync(addon, join(folder, platform.addon))
  strip(platform, join(folder, platform.addon))
  const { json, readme } = platformPackage(platform, needs(platform, join(folder, platform.addon)))
  writePackage(folder, json)
  writeFileSync(join(folder, 'README.md'), readme)
  for (const licence of licences) copyFileSync(join(root, licence), join(folder, licence))
  await npmPack(folder)
}

/**
 * Release builds are stripped by cargo; an everyday one by binutils, if they are there.
 *
 * @param {Platform} platform @param {string} addon
 */
function strip(platform, addon) {
  if (published || platform.os !== 'linux') return
  if (spawnSync('strip', ['--strip-unneeded', addon]).status !== 0) console.log('  not stripped: binutils are not installed')
}

/**
 * What the addon truly asks of the C library, read from the file: a package that claims less was published more than once in this world.
 *
 * @param {Platform} platform @param {string} addon @returns {{ needs?: string, glibc?: string }}
 */
function needs(platform, addon) {
  if (platform.os !== 'linux') return {}
  const { libc, glibc } = inspectElf(readFileSync(addon))
  if (libc !== platform.libc) throw new SetupError(`${addon} is linked against ${libc}, but its package is for ${platform.libc}.`)
  if (!glibc) return {}
  if (values.all && newest([glibc, platform.glibc ?? '']) !== platform.glibc) {
    throw new SetupError(`${addon} needs glibc ${glibc}; published packages promise ${platform.glibc}.`)
  }
  return { needs: `glibc ${glibc}`, glibc }
}

async function packRoot() {
  const folder = join(stage, 'firn-ml')
  mkdirSync(folder, { recursive: true })
  // What only the work tree needs stays there; the platform packages are named only here, since npm ci cannot lock what is unpublished.
  const { scripts: _1, devDependencies: _2, allowScripts: _3, exports, ...kept } = readJson('package.json')
  for (const target of Object.values(exports)) if (typeof target === 'object') delete target['firn-source']
  const optionalDependencies = Object.fromEntries(platforms.map(({ packageName }) => [packageName, kept.version]))
  writePackage(folder, { ...kept, exports, optionalDependencies })
  for (const name of [...kept.files, 'README.md'])
    if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name), { recursive: true })
  await npmPack(folder)
}

/** @param {string} folder @param {object} json */
function writePackage(folder, json) {
  // Provenance wants the repository that the workflow runs in.
  const { GITHUB_REPOSITORY: name } = process.env
  const repository = name && { type: 'git', url: `git+https://github.com/${name}.git` }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...json, ...(repository ? { repository } : {}) }, null, 2)}\n`)
}

/** @param {string} folder */
async function npmPack(folder) {
  let said = ''
  const [command, args] = npmCommand(['pack', '--json', '--loglevel=error', `--pack-destination=${out}`])
  if ((await run(command, args, { cwd: folder, onStdout: (text) => (said += text) })) !== 0)
    throw new SetupError(`npm pack failed in ${folder}`)
  const answer = JSON.parse(said.slice(said.search(/[[{]/)))
  const [{ filename, size, unpackedSize }] = Array.isArray(answer) ? answer : Object.values(answer)
  const mega = (/** @type {number} */ bytes) => `${(bytes / 2 ** 20).toFixed(2)} MiB`
  console.log(`  ${join(values.out, filename)}  ${mega(size)} (${mega(unpackedSize)} unpacked)`)
}
