// The platforms firn is built for: read from the one list, `napi.targets` in package.json.
import { readFileSync } from 'node:fs'

const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

/** Where a packed firn has really run. Add a line when a platform has been tried. */
const tried = new Map([['linux-x64-gnu', 'Debian 12, Node 20, 22, 24 and 26']])

/** The glibc that published packages get along with; zig links against its symbols. */
export const glibcFloor = '2.17'

export const licences = ['LICENSE-APACHE', 'LICENSE-MIT']

const cpuNames = new Map([
  ['x86_64', 'x64'],
  ['aarch64', 'arm64'],
])

/**
 * @typedef {object} Platform
 * @property {string} target Rust's triple
 * @property {string} name as Node says it: linux-x64-gnu, darwin-arm64, win32-x64-msvc
 * @property {string} os
 * @property {string} cpu
 * @property {'glibc' | 'musl' | undefined} libc
 * @property {string} packageName
 * @property {string} addon name of the .node file
 * @property {string} title for people
 * @property {string} needs the system, for people
 * @property {string | undefined} glibc the oldest a published package runs on
 * @property {string | undefined} tried where it has run
 */

/** @param {string} target @returns {Platform} */
export function parseTarget(target) {
  const [arch = '', , system = '', abi = ''] = target.split('-')
  const cpu = cpuNames.get(arch)
  if (!cpu) throw new Error(`napi.targets: no Node name is known for the processor of '${target}'`)
  const kinds = {
    linux: {
      os: 'linux',
      suffix: `-${abi}`,
      title: `Linux ${cpu} (${abi === 'gnu' ? 'glibc' : 'musl'})`,
      needs: abi === 'gnu' ? `glibc ${glibcFloor}` : 'musl 1.2',
    },
    darwin: { os: 'darwin', suffix: '', title: `macOS ${cpu === 'arm64' ? 'on Apple silicon' : 'on Intel'}`, needs: 'macOS 11' },
    windows: { os: 'win32', suffix: `-${abi}`, title: `Windows ${cpu}`, needs: 'Windows 10' },
  }
  const kind = Object.entries(kinds).find(([key]) => key === system)?.[1]
  if (!kind) throw new Error(`napi.targets: unknown system in '${target}'`)
  const name = `${kind.os}-${cpu}${kind.suffix}`
  return {
    target,
    name,
    os: kind.os,
    cpu,
    libc: system === 'linux' ? (abi === 'gnu' ? 'glibc' : 'musl') : undefined,
    packageName: `${packageJson.napi.packageName}/${name}`,
    addon: `${packageJson.napi.binaryName}.${name}.node`,
    title: kind.title,
    needs: kind.needs,
    glibc: abi === 'gnu' ? glibcFloor : undefined,
    tried: tried.get(name),
  }
}

/** @type {readonly Platform[]} */
export const platforms = packageJson.napi.targets.map(parseTarget)

/** The platform of this machine. @returns {Platform} */
export function hostPlatform() {
  const { platform, arch } = process
  const libc = platform !== 'linux' ? undefined : hasGlibc() ? 'glibc' : 'musl'
  const found = platforms.find((one) => one.os === platform && one.cpu === arch && one.libc === libc)
  if (found) return found
  // Not a platform we publish for; building from source may work all the same.
  const name = [platform, arch, libc && (libc === 'glibc' ? 'gnu' : 'musl')].filter(Boolean).join('-')
  return {
    target: name,
    name,
    os: platform,
    cpu: arch,
    libc,
    packageName: `${packageJson.napi.packageName}/${name}`,
    addon: `${packageJson.napi.binaryName}.${name}.node`,
    title: `${platform} ${arch}`,
    needs: '',
    glibc: undefined,
    tried: undefined,
  }
}

function hasGlibc() {
  // Without this the report asks the name server about every open connection.
  const report = Object.assign(process.report, { excludeNetwork: true }).getReport()
  return /** @type {{ header: { glibcVersionRuntime?: string } }} */ (report).header.glibcVersionRuntime !== undefined
}

/**
 * What goes into a platform package besides the addon.
 *
 * @param {Platform} platform
 * @param {{ needs?: string, glibc?: string }} [measured] what the addon needs, where that was read from the file
 */
export function platformPackage(platform, { needs = platform.needs, glibc = platform.glibc } = {}) {
  const { version, license, engines } = packageJson
  const { packageName, addon, title, os, cpu, libc } = platform
  const description = `The native core of firn-ml for ${title}`
  const readme = `# ${packageName}

${description}. It needs ${needs} or newer, and comes with \`npm install firn-ml\` by itself: there is nothing in it for direct use.

${platform.tried ? `Tried on ${platform.tried}.` : 'Not yet tried: it is built by the release workflow and has not been run on such a machine by us.'}
`
  const json = {
    name: packageName,
    version,
    description,
    license,
    os: [os],
    cpu: [cpu],
    ...(libc ? { libc: [libc] } : {}),
    main: addon,
    files: [addon, ...licences],
    engines: { ...engines, ...(glibc ? { glibc: `>=${glibc}` } : {}) },
    preferUnplugged: true,
    publishConfig: packageJson.publishConfig,
  }
  return { json, readme }
}
