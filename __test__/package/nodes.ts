// The Node versions the packed package is tried on. npm carries the binaries; they are kept in .cache/nodes.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './shell.ts'

/** The last of each line that is supported. */
export const nodeVersions = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'] as const

/** Node strips types without a flag from 22.18 on. */
export const stripsTypes = (version: string) => !version.startsWith('20.')

/** The executable of that version, installed now if it is not there yet. */
export async function nodeBinary(version: string): Promise<string> {
  if (process.versions.node === version) return process.execPath
  const { platform, arch } = process
  const name = `${platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'}-${platform === 'win32' ? 'win' : platform}-${arch}`
  const folder = join(root, '.cache/nodes', version)
  const binary = join(folder, 'node_modules', name, 'bin', platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(binary)) {
    const args = ['install', '--no-save', '--ignore-scripts', '--prefix', folder, `${name}@${version}`]
    const { code, output } = await run('npm', args, { cwd: root, inherit: true })
    if (code !== 0) throw new Error(`Node ${version} could not be installed from npm as ${name}:\n${output}`)
  }
  return binary
}
