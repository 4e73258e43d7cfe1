// Finds and loads the addon for this machine; says plainly why when there is none.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { FirnError } from '../errors.ts'
import type { Native } from './contract.ts'

const require = createRequire(import.meta.url)

/** Where the addon came from. */
export interface Loaded {
  readonly native: Native
  readonly path: string
  readonly platform: string
}

/** `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`: the name of this machine's platform package. */
export function platformName(): string {
  const { platform, arch } = process
  if (platform === 'linux') return `linux-${arch}-${glibcVersion() === undefined ? 'musl' : 'gnu'}`
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`
}

/** The C library's version on a glibc system, undefined elsewhere. */
function glibcVersion(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const report: object = Object.assign(process.report, { excludeNetwork: true }).getReport()
  const header: object = 'header' in report && typeof report.header === 'object' && report.header !== null ? report.header : {}
  return 'glibcVersionRuntime' in header ? String(header.glibcVersionRuntime) : undefined
}

/** Loads the addon: `FIRN_NATIVE_PATH`, then the one built in this folder, then the platform package. */
export function load(): Loaded {
  const platform = platformName()
  const given = process.env['FIRN_NATIVE_PATH']
  const built = fileURLToPath(new URL(`../../native/firn.${platform}.node`, import.meta.url))
  const candidates = given === undefined ? [...(existsSync(built) ? [built] : []), `@firn-ml/${platform}`] : [given]
  const reasons: string[] = []
  for (const candidate of candidates) {
    try {
      const path = require.resolve(candidate)
      const native: Native = require(path)
      return { native, path, platform }
    } catch (error) {
      reasons.push(`${candidate}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`)
    }
  }
  throw new FirnError('platform', explain(platform, reasons))
}

function explain(platform: string, reasons: readonly string[]): string {
  const glibc = glibcVersion()
  const system = process.platform !== 'linux' ? release() : glibc === undefined ? 'musl' : `glibc ${glibc}`
  const machine = `${process.platform} ${process.arch}, ${system}, Node ${process.versions.node}`
  const supported = supportedPlatforms()
  const remedy = supported.includes(platform)
    ? `Install it with: npm install @firn-ml/${platform}@${version()}\n` +
      'npm leaves it out when run with --omit=optional, or when a lock file was written on another kind of machine: then delete the lock file and node_modules.\n' +
      'In a clone of the repository: npm run build:native.'
    : `firn has no package for this platform; it has: ${supported.join(', ')}.`
  return [`firn's native core did not load on ${machine}.`, ...reasons.map((reason) => `  tried ${reason}`), remedy].join('\n')
}

function manifest(): { version: string; napi: { targets: string[] } } {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
}

function version(): string {
  return manifest().version
}

/** Names of the platform packages, from the one list in package.json. */
function supportedPlatforms(): string[] {
  const systems = { linux: 'linux', apple: 'darwin', pc: 'win32' }
  return manifest().napi.targets.map((target) => {
    const [cpu = '', vendor = '', system = '', abi] = target.split('-')
    const os = system === 'linux' ? systems.linux : vendor === 'apple' ? systems.apple : systems.pc
    return [os, cpu === 'x86_64' ? 'x64' : 'arm64', ...(abi === undefined ? [] : [abi])].join('-')
  })
}
