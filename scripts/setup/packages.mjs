// npm packages: installed when they differ from the lock file; and the Node that runs TypeScript.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from './process.mjs'
import { dim, duration, ticker } from './terminal.mjs'
import { SetupError, readJson, root, satisfies } from './toolchain.mjs'

/** The versions that strip types without a flag and know `using`. */
const runsTypeScript = '>=24.12.0'
const bundledNode = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** Is every locked package installed in its locked version? (What is left out here was optional: made for other machines.) */
function packagesAreCurrent() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false
  const installed = readJson('node_modules/.package-lock.json').packages
  return Object.entries(readJson('package-lock.json').packages).every(([path, locked]) => {
    if (path === '') return true
    const found = installed[path]
    return found ? found.version === locked.version && found.integrity === locked.integrity : locked.optional === true
  })
}

/** @param {string[]} args @returns {[string, string[]]} the npm that runs us, else the one in PATH */
export function npmCommand(args) {
  const npm = process.env.npm_execpath
  // Under `npm run` this process may be the node of node_modules, which `npm ci` takes away.
  const node = existsSync(process.execPath) ? process.execPath : 'node'
  if (npm && basename(npm) === 'npm-cli.js') return [node, [npm, ...args]]
  return process.platform === 'win32' ? ['cmd', ['/c', 'npm', ...args]] : ['npm', args]
}

export async function ensurePackages() {
  const current = packagesAreCurrent()
  if (!current) await installPackages()
  // The one install script we want: it links the binary that npm carries. Where there is none for the machine, findNode() has another way.
  if (existsSync(bundledNode) || (current && satisfies(process.versions.node, runsTypeScript))) return
  await run(...npmCommand(['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error']), { onStdout() {}, onStderr() {} })
}

async function installPackages() {
  const start = Date.now()
  console.log('installing npm packages')
  const stop = ticker(() => 'still installing npm packages')
  let said = ''
  const quiet = ['--ignore-scripts', '--loglevel=error', '--no-audit', '--no-fund']
  const code = await run(...npmCommand(['ci', ...quiet]), { onStdout: (text) => (said += text), onStderr: (text) => (said += text) })
  stop()
  if (code !== 0)
    throw new SetupError(`npm ci failed (exit ${code}). Is the network there? It said:\n${said.split('\n').slice(0, 20).join('\n')}`)
  console.log(dim(`  npm packages installed in ${duration(Date.now() - start)}`))
}

/**
 * The Node that runs our TypeScript: the one from node_modules (npm carries the binary), else the present one if it is new enough.
 *
 * @returns {string}
 */
export function findNode() {
  const wanted = readJson('package.json').devDependencies.node
  if (existsSync(bundledNode) && spawnSync(bundledNode, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `v${wanted}`)
    return bundledNode
  if (satisfies(process.versions.node, runsTypeScript)) return process.execPath
  throw new SetupError(`The npm package node@${wanted}, with which firn runs its TypeScript, does not start on this machine (${process.platform} ${process.arch}).
  Either it could not be fetched (try: npm rebuild node), or npm has none for this system: then run the command with Node ${runsTypeScript}.`)
}

/** @param {string} name a package of node_modules with one command @returns {string} the JavaScript file of that command */
export function bin(name) {
  const { bin: field } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
  return join(
    root,
    'node_modules',
    name,
    typeof field === 'string' ? field : (field[name.split('/').at(-1) ?? name] ?? Object.values(field)[0]),
  )
}
