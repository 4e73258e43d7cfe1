// Ctrl-C and its like, for as long as runs are at work.
import { askToSave } from './ask.ts'
import type { Control } from './control.ts'

/** What a shell takes the exit code of a process for that the signal ended. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const
type Signal = keyof typeof exitCodes
const signals = ['SIGINT', 'SIGTERM'] as const

/** The runs at work that heed signals, with whether they insist on it where others listen, too. */
const heeding = new Map<Control, boolean>()
/** Whether a signal came that the runs are still busy with. */
let interrupted = false

/**
 * Has a run stop when a signal comes. The first asks, the second ends the process as if nobody had listened. Where the program listens
 * itself, now or later, it is left alone unless the run insists. @returns what ends it
 */
export function heedSignals(control: Control, wanted: boolean | undefined): () => void {
  if (wanted === false || (wanted === undefined && !signals.every(isFree))) return () => {}
  if (heeding.size === 0) for (const signal of signals) process.on(signal, onSignal)
  heeding.set(control, wanted === true)
  return () => {
    heeding.delete(control)
    if (heeding.size === 0) leave()
  }
}

const isFree = (signal: Signal): boolean => process.listeners(signal).every((listener) => listener === onSignal)

function leave(): void {
  interrupted = false
  for (const signal of signals) process.off(signal, onSignal)
}

function onSignal(signal: Signal): void {
  const runs = [...heeding].filter(([, insists]) => insists || isFree(signal)).map(([control]) => control)
  if (runs.length === 0) return
  if (interrupted) {
    leave()
    process.kill(process.pid, signal)
    return
  }
  interrupted = true
  console.warn(`${signal}: stopping after this iteration; once more stops at once`)
  // One question for all runs.
  let answer: Promise<boolean> | undefined
  const wantsSave = (): Promise<boolean> => (answer ??= signal === 'SIGINT' ? askToSave() : Promise.resolve(true))
  for (const run of runs) void run.ask('stop', signal, wantsSave).then(() => exitWith(signal), goOn)
}

// A process that Ctrl-C ended must not look like one that succeeded.
function exitWith(signal: Signal): void {
  process.exitCode ??= exitCodes[signal]
}

// The run could not stop, or it ended before it was asked.
function goOn(): void {
  interrupted = false
}
