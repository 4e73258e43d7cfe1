// Words on the screen: colours where they are wanted, durations, a line that replaces itself.

export const isTerminal = process.stdout.isTTY === true
const colours = process.env.NO_COLOR ? false : isTerminal || Boolean(process.env.FORCE_COLOR)

/** @param {number} code */
const paint = (code) => (/** @type {string} */ text) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text)
export const bold = paint(1)
export const dim = paint(2)
export const red = paint(31)
export const green = paint(32)

/** What a child process needs to keep its colours when its output passes through us. */
export const colourEnv = colours ? { FORCE_COLOR: '1', CARGO_TERM_COLOR: 'always' } : { CARGO_TERM_COLOR: 'never' }

/** @param {number} ms @returns {string} `0.4 s`, `12 s`, `3 min 05 s` */
export function duration(ms) {
  const s = ms / 1000
  if (s < 9.95) return `${s.toFixed(1)} s`
  const whole = Math.round(s)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}

/**
 * A clock for slow work: tells every few seconds how far it is, less often as it goes on.
 *
 * @param {() => string} text
 * @returns {() => void} stops it
 */
export function ticker(text) {
  const start = Date.now()
  let shown = ''
  let next = 4000
  const timer = setInterval(() => {
    const passed = Date.now() - start
    const line = text()
    if (passed < next || line === shown) return
    shown = line
    next = passed + Math.min(20_000, 4000 + passed / 15)
    console.log(dim(`  ${line}, ${duration(passed)}`))
  }, 500)
  timer.unref()
  return () => clearInterval(timer)
}
