// Numbers and times as people read them.
import type { TaskInfo } from '../graph/index.ts'

/** Four decimals where they say something, else four digits. */
export const short = (value: number): string =>
  value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e3) || !Number.isFinite(value) ? value.toFixed(4) : value.toPrecision(4)

/** A rate of learning: as few digits as say it, four at most. */
export const rate = (value: number): string => {
  const digits = Number(value.toPrecision(4))
  return digits !== 0 && Math.abs(digits) < 1e-3 ? digits.toExponential() : String(digits)
}

/** `8,912`. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US')

/** `12 s`, `3 min 5 s`, `2 h 4 min`. */
export function duration(seconds: number): string {
  const s = Math.round(seconds)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
}

/** `1.2 MB`. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)))
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

/** What a task does, in a word: `train`, or the tags of an evaluation, or `eval` where these say nothing. */
export const modeOf = ({ training, tags }: Pick<TaskInfo, 'training' | 'tags'>): string =>
  training ? 'train' : tags.join(',') === '*' ? 'eval' : tags.join(',')
