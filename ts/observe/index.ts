// Watching a run: lines, bars, curves.
export { chart, type ChartOptions } from './chart.ts'
export { csv } from './csv.ts'
export { epochLine, epochLog, type Print } from './epochLog.ts'
export { jsonl } from './jsonl.ts'
export { progress } from './progress.ts'
export type { LogOptions, TextLogOptions } from './textLog.ts'
export { timers, type TimersOptions } from './timers.ts'
export type { Vital } from './vitals.ts'
