// The addon as it is published: release profile, for one platform of package.json's list, into npm/<platform>/.
// node scripts/build-addon.mjs [--target <Rust triple>] [--zig]
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { glibcFloor, hostPlatform, platforms } from './platforms.mjs'
import { compile, sharedLibrary } from './setup/cargo.mjs'
import { SetupError, root } from './setup/toolchain.mjs'

/**
 * @param {import('./platforms.mjs').Platform} platform
 * @param {{ zig?: boolean }} [options] zig: link with zig (cargo-zigbuild), for an old glibc or for musl
 * @returns {Promise<string>} the addon
 */
export async function buildRelease(platform, { zig = false } = {}) {
  const target = zig && platform.libc === 'glibc' ? `${platform.target}.${glibcFloor}` : platform.target
  const made = await compile(`building for ${platform.name}`, [
    zig ? 'zigbuild' : 'build',
    '--package=firn-node',
    '--lib',
    '--profile=release',
    `--target=${target}`,
  ])
  const addon = join(root, 'npm', platform.name, platform.addon)
  copyFileSync(sharedLibrary(made), addon)
  return addon
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { target: { type: 'string', default: hostPlatform().target }, zig: { type: 'boolean', default: false } },
  })
  const platform = platforms.find(({ target }) => target === values.target)
  try {
    if (!platform)
      throw new SetupError(`'${values.target}' is not in napi.targets of package.json: ${platforms.map(({ target }) => target).join(', ')}`)
    console.log(await buildRelease(platform, { zig: values.zig }))
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
