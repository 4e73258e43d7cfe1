// The package as users get it: packed, served by a registry on this machine, installed by npm, and run on every supported Node.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { inspectElf, newest } from '../scripts/elf.mjs'
import { hostPlatform, platformPackage, platforms } from '../scripts/platforms.mjs'
import { bin } from '../scripts/setup/packages.mjs'
import { consumerFiles, expected } from './package/consumer.ts'
import { nodeBinary, nodeVersions, stripsTypes } from './package/nodes.ts'
import { type Published, type Registry, serveRegistry } from './package/registry.ts'
import { root, run } from './package/shell.ts'

const work = mkdtempSync(join(tmpdir(), 'firn-package-'))
const packed = join(root, '.cache/pack')
const host = hostPlatform()
const rootPackage = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
let registry: Registry

function tarball(name: string): string {
  return join(packed, `${name.replace('@', '').replace('/', '-')}-${rootPackage.version}.tgz`)
}

/** The package.json inside a tarball, and everything else in it by name. */
async function unpack(file: string): Promise<{ folder: string; names: string[] }> {
  const folder = mkdtempSync(join(work, 'unpacked-'))
  const { code, output } = await run('tar', ['-xzf', file, '-C', folder], { cwd: work })
  if (code !== 0) throw new Error(output)
  const inside = join(folder, 'package')
  const names = readdirSync(inside, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(inside.length + 1))
  return { folder: inside, names }
}

/** Tarballs of what firn-ml depends on, as installed here, and empty ones of the platforms that were not built here. */
async function packOthers(): Promise<Published[]> {
  const lock: Record<string, { dev?: boolean; optional?: boolean }> = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  ).packages
  const folders = Object.keys(lock)
    .filter((path) => path !== '' && !lock[path]?.dev && !lock[path]?.optional)
    .map((path) => join(root, path))
  for (const platform of platforms.filter(({ name }) => name !== host.name)) {
    const folder = join(work, 'foreign', platform.name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify(platformPackage(platform).json))
    writeFileSync(join(folder, platform.addon), '')
    folders.push(folder)
  }
  const target = join(work, 'others')
  mkdirSync(target)
  const { code, output } = await run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', target, ...folders], {
    cwd: work,
  })
  if (code !== 0) throw new Error(output)
  return folders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return { manifest, tarball: join(target, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`) }
  })
}

/** A fresh folder with the consumer's files and `npm install firn-ml` done in it, from the registry of this test alone. */
async function install(...options: string[]): Promise<string> {
  const folder = mkdtempSync(join(work, 'consumer-'))
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  for (const [name, text] of Object.entries(consumerFiles)) writeFileSync(join(folder, name), text)
  const fixed = [
    'install',
    'firn-ml',
    `--registry=${registry.url}`,
    `--cache=${join(work, 'cache')}`,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ]
  const { code, output } = await run('npm', [...fixed, ...options], { cwd: folder })
  if (code !== 0) throw new Error(output)
  return folder
}

const installedPlatforms = (folder: string) => readdirSync(join(folder, 'node_modules/@firn-ml'))

test.before('pack, and serve what was packed', async (t) => {
  t.timeout(300_000)
  const { code, output } = await run(process.execPath, [join(root, 'scripts/pack.mjs'), '--out=.cache/pack'], { cwd: root, inherit: true })
  t.is(code, 0, output)
  t.log(output.trim())
  const ours = await Promise.all(
    ['firn-ml', host.packageName].map(async (name) => {
      const { folder } = await unpack(tarball(name))
      return { manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')), tarball: tarball(name) }
    }),
  )
  registry = await serveRegistry([...ours, ...(await packOthers())])
})

test.after.always(() => {
  registry?.close()
  rmSync(work, { recursive: true, force: true })
})

test('the tarball holds dist and the papers, nothing else', async (t) => {
  const { folder, names } = await unpack(tarball('firn-ml'))
  const unexpected = names.filter(
    (name) => !/^dist\/.*(\.js|\.d\.ts)$/.test(name) && !/^(package\.json|README\.md|CHANGELOG\.md|LICENSE-\w+)$/.test(name),
  )
  t.deepEqual(unexpected, [])
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  t.deepEqual(
    Object.keys(manifest.optionalDependencies),
    platforms.map(({ packageName }) => packageName),
  )
  t.false(JSON.stringify(manifest).includes('firn-source'))
  t.is(manifest.scripts, undefined)
})

test('publint and arethetypeswrong have nothing to say', async (t) => {
  const lint = await run(process.execPath, [bin('publint'), 'run', tarball('firn-ml'), '--strict'], { cwd: root })
  t.is(lint.code, 0, lint.output)
  const types = await run(process.execPath, [bin('@arethetypeswrong/cli'), tarball('firn-ml'), '--profile', 'esm-only', '--no-emoji'], {
    cwd: root,
  })
  t.is(types.code, 0, types.output)
})

test('npm installs one platform package, the one for this machine', async (t) => {
  const folder = await install()
  t.deepEqual(installedPlatforms(folder), [host.name])
})

for (const { name, os, cpu, libc } of platforms.filter((one) => one.name !== host.name)) {
  test(`npm installs ${name} on such a machine`, async (t) => {
    const folder = await install(`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : []))
    t.deepEqual(installedPlatforms(folder), [name])
  })
}

test('it runs by import, by require and as TypeScript, on every supported Node', async (t) => {
  t.timeout(300_000)
  const folder = await install()
  const compiled = await run(process.execPath, [bin('typescript'), '--project', folder], { cwd: folder })
  t.is(compiled.code, 0, compiled.output)
  for (const version of nodeVersions) {
    const node = await nodeBinary(version)
    const dialects = ['import.mjs', 'require.cjs', 'out/typed.js', ...(stripsTypes(version) ? ['typed.ts'] : [])]
    for (const file of dialects) {
      const { code, stdout, output } = await run(node, ['--disable-warning=ExperimentalWarning', file], { cwd: folder })
      t.is(code, 0, `${file} on Node ${version}: ${output}`)
      t.deepEqual(JSON.parse(stdout), expected, `${file} on Node ${version}`)
    }
    const subpaths = await run(node, ['out/subpaths.js'], { cwd: folder })
    t.is(subpaths.stdout.trim(), 'true', `${version}: ${subpaths.output}`)
  }
})

test('firn doctor names the package its core came from', async (t) => {
  const folder = await install()
  t.true(readdirSync(join(folder, 'node_modules/.bin')).includes('firn'))
  const { code, output } = await run(process.execPath, [join(folder, 'node_modules/firn-ml', rootPackage.bin.firn), 'doctor'], {
    cwd: folder,
  })
  t.is(code, 0, output)
  t.true(output.includes(host.packageName), output)
})

test('without a platform package the error says what is missing and how to get it', async (t) => {
  const folder = await install('--omit=optional')
  writeFileSync(
    join(folder, 'broken.mjs'),
    `import('firn-ml').then(({ tensor }) => tensor([1])).catch(({ name, code, message }) => console.log(JSON.stringify({ name, code, message })))`,
  )
  const { stdout, output } = await run(process.execPath, ['broken.mjs'], { cwd: folder })
  t.true(stdout.startsWith('{'), output)
  const { name, code, message } = JSON.parse(stdout)
  t.is(name, 'FirnError')
  t.is(code, 'platform')
  for (const part of [process.platform, process.arch, process.versions.node, host.packageName, ...(host.libc ? [host.libc] : [])]) {
    t.true(message.includes(part), `the message names ${part}: ${message}`)
  }
})

if (process.platform === 'linux') {
  test('the addon asks for no newer C library than its package says', async (t) => {
    const { folder } = await unpack(tarball(host.packageName))
    const { engines } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const addon = join(folder, host.addon)
    const found = inspectElf(readFileSync(addon))
    t.is(found.libc, host.libc)
    if (host.libc !== 'glibc') return
    t.is(engines.glibc, `>=${found.glibc}`)
    const objdump = spawnSync('objdump', ['-T', addon], { encoding: 'utf8', maxBuffer: 2 ** 28 })
    if (objdump.status !== 0) return t.log('binutils are not installed: the version was read by scripts/elf.mjs alone')
    const versions = Array.from(objdump.stdout.matchAll(/GLIBC_([\d.]+)/g), (match) => match[1] ?? '')
    t.is(newest(versions), found.glibc)
    t.log(`glibc ${found.glibc}`)
  })
}
