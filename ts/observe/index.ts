// Watching a run: lines, bars, curves.
export { chart, type ChartOptions } from './chart.ts'
export { epochLine, epochLog, type Print } from './epochLog.ts'
export { progress } from './progress.ts'
