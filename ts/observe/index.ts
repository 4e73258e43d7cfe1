// Watching a run: lines, bars, curves.
export { chart, type ChartOptions } from './chart.ts'
export { csv } from './csv.ts'
export { epochLine, epochLog, type Print } from './epochLog.ts'
export { jsonl } from './jsonl.ts'
export { progress, type ProgressOptions, type Terminal } from './progress.ts'
export { tensorBoard } from './tensorBoard/index.ts'
export type { LogOptions, TextLogOptions } from './textLog.ts'
export type { Vital } from './vitals.ts'
