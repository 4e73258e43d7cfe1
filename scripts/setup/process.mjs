// Start another program and wait for it.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { root } from './toolchain.mjs'

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] default: the repository
 * @property {Record<string, string | undefined>} [env] added to ours
 * @property {boolean} [stdin] does it read the terminal? default false
 * @property {(text: string) => void} [onStdout] receives what it prints instead of the screen
 * @property {(text: string) => void} [onStderr]
 */

/**
 * @param {string} command @param {readonly string[]} args @param {RunOptions} [options]
 * @returns {Promise<number>} the exit status, 128 + signal as in a shell
 */
export function run(command, args, { cwd = root, env = {}, stdin = false, onStdout, onStderr } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [stdin ? 'inherit' : 'ignore', onStdout ? 'pipe' : 'inherit', onStderr ? 'pipe' : 'inherit'],
    })
    child.stdout?.setEncoding('utf8').on('data', (text) => onStdout?.(text))
    child.stderr?.setEncoding('utf8').on('data', (text) => onStderr?.(text))
    // Ctrl-C reaches the child too: let it finish its own way (a training run saves), and end with it.
    const wait = () => {}
    const pass = () => child.kill('SIGTERM')
    process.on('SIGINT', wait).on('SIGTERM', pass)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', pass)
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}
