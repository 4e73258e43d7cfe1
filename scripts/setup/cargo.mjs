// Run cargo with something to look at while it compiles.
import { run } from './process.mjs'
import { colourEnv, isTerminal, ticker } from './terminal.mjs'
import { cargoHint, findCargo } from './toolchain.mjs'

const statusLine = /^\s*(Compiling|Checking|Downloading|Downloaded|Updating|Locking|Adding|Blocking|Fresh|Finished|Building|Fetch)\b/
const progressBar = /^\s*(?:Building )?\[[=> ]*\] +(\d+)\/(\d+)/
// eslint-disable-next-line no-control-regex
const escapes = /\x1b\[[0-9;?]*[A-Za-z]/g

/**
 * On a terminal cargo draws its own bar. Elsewhere (CI, a pipe) its bar is read, and told as a line every few seconds; its status
 * lines are dropped, what it says else is passed on.
 *
 * @param {string} what as in `building the Rust core`
 * @param {readonly string[]} args
 * @param {{ onStdout?: (text: string) => void, ownBar?: boolean }} [options] ownBar: let cargo draw on a terminal; default true
 * @returns {Promise<{ code: number, hint: string }>}
 */
export async function cargo(what, args, { onStdout, ownBar = true } = {}) {
  const command = findCargo()
  let step = 'looking up crates'
  let errors = ''
  let rest = ''
  /** @param {string} text */
  const read = (text) => {
    const lines = (rest + text).split(/\r\n|\r|\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const plain = line.replace(escapes, '')
      const bar = progressBar.exec(plain)
      if (bar) step = `${bar[1]} of ${bar[2]} compile steps`
      else if (/^\s*Download/.test(plain)) step = 'downloading crates'
      if (bar || statusLine.test(plain) || plain.trim() === '') continue
      errors += `${plain}\n`
      process.stderr.write(`${line}\n`)
    }
  }
  const seen = isTerminal && ownBar
  const stop = seen ? () => {} : ticker(() => `${what}: ${step}`)
  const code = await run(command, args, {
    env: { ...colourEnv, ...(seen ? {} : { CARGO_TERM_PROGRESS_WHEN: 'always', CARGO_TERM_PROGRESS_WIDTH: '120' }) },
    ...(seen ? {} : { onStderr: read }),
    ...(onStdout ? { onStdout } : {}),
  })
  stop()
  return { code, hint: code === 0 ? '' : cargoHint(errors) }
}
