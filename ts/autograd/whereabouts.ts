// What anomaly mode says of the place where an op was called: who is at work, and the lines of the stack that are not firn's.

/** Says in words who calls ops at the moment; undefined for nobody in particular. */
export type AtWork = () => string | undefined

let atWork: AtWork | null = null

/** Whoever runs the code of others says so in errors of anomaly mode, until it puts back what it gets here. */
export function setAtWork(teller: AtWork | null): AtWork | null {
  const before = atWork
  atWork = teller
  return before
}

/** The folder of firn's own code, compiled or not. */
const own = new URL('..', import.meta.url).href

/** Nested containers put several lines of ours between an op and the line that caused it. */
const depth = 100

/** A line that says who is at work, then the innermost lines of the stack. */
export function whereabouts(): string {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = depth
  const stack = new Error('here').stack ?? ''
  Error.stackTraceLimit = stackTraceLimit
  const lines = stack.split('\n').slice(1)
  const theirs = lines.filter((line) => !line.includes(own) && !/node:internal|\(<anonymous>\)$/.test(line)).slice(0, 4)
  const who = atWork?.()
  return [...(who === undefined ? [] : [`    by ${who}`]), ...theirs].join('\n')
}
