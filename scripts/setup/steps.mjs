// Steps one after another, each with its name and time; the first that fails stops, with its output in sight.
import { stripVTControlCharacters } from 'node:util'
import { cargo } from './cargo.mjs'
import { run } from './process.mjs'
import { bold, colourEnv, dim, duration, green, red } from './terminal.mjs'

/**
 * @typedef {{ name: string, live?: boolean, counts?: keyof typeof counters } & Work} Step
 *   live: is its output worth seeing when all is well? counts: whose closing lines tell how many tests ran
 * @typedef {{ work: () => Promise<number> } | { cargo: readonly string[] } | { command: readonly [string, ...string[]] }} Work
 *   work of our own that gives an exit status, arguments of cargo, or any program
 */

/** @type {Record<'cargo' | 'ava', Record<'passed' | 'failed' | 'skipped', RegExp>>} */
const counters = {
  cargo: { passed: /test result: .*?(\d+) passed/g, failed: /test result: .*?(\d+) failed/g, skipped: /test result: .*?(\d+) ignored/g },
  ava: {
    passed: /^\s*(\d+) tests? passed/gm,
    failed: /^\s*(\d+) (?:tests?|hooks?) failed/gm,
    skipped: /^\s*(\d+) tests? (?:skipped|todo)/gm,
  },
}

/** @param {readonly Step[]} steps @returns {Promise<number>} the exit status of the first that failed, else 0 */
export async function runSteps(steps) {
  const start = Date.now()
  const totals = { passed: 0, failed: 0, skipped: 0 }
  let status = 0
  for (const step of steps) {
    const began = Date.now()
    console.log(bold(`▸ ${step.name}`))
    const { code, output, hint = '' } = await perform(step)
    if (step.counts) {
      const plain = stripVTControlCharacters(output)
      for (const [kind, pattern] of Object.entries(counters[step.counts])) {
        for (const match of plain.matchAll(pattern)) totals[/** @type {keyof typeof totals} */ (kind)] += Number(match[1])
      }
    }
    const took = duration(Date.now() - began)
    if (code === 0) {
      console.log(`${green('✓')} ${step.name} ${dim(took)}`)
      continue
    }
    if (!step.live) process.stdout.write(output)
    console.log(`${red('✗')} ${step.name} failed after ${took}, exit ${code}${dim(spell(step))}${hint && `\n  ${hint}`}`)
    status = code
    break
  }
  const { passed, failed, skipped } = totals
  console.log(`\n${status === 0 ? green('all steps passed') : red('stopped')} after ${duration(Date.now() - start)}`)
  if (passed + failed > 0) console.log(`tests: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
  return status
}

/** @param {Step} step @returns {string} the command, to try it alone */
function spell(step) {
  if ('cargo' in step) return ` (cargo ${step.cargo.join(' ')})`
  return 'command' in step ? ` (${step.command.slice(1).join(' ')})` : ''
}

/** @param {Step} step @returns {Promise<{ code: number, output: string, hint?: string }>} */
async function perform(step) {
  let output = ''
  /** @param {string} text */
  const keep = (text) => {
    output += text
    if (step.live) process.stdout.write(text)
  }
  if ('work' in step) return { code: await step.work(), output }
  if ('cargo' in step) {
    const { code, hint } = await cargo(step.name, step.cargo, { onStdout: keep })
    return { code, output, hint }
  }
  const [command, ...args] = step.command
  const code = await run(command, args, { env: colourEnv, onStdout: keep, onStderr: keep })
  return { code, output }
}
