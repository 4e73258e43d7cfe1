// Figures are quoted only from a machine that does nothing else.
import { cpus } from 'node:os'
import { setTimeout } from 'node:timers/promises'

/** How often half a second may still be waited for a quiet machine: a minute in all, for a busy one stays busy. */
let patience = 120

/** The share of all cores that others use, once it is below 10 % or nobody wants to wait any longer. */
export async function othersUse(): Promise<number> {
  for (;;) {
    const before = idle()
    await setTimeout(500)
    const after = idle()
    const busy = Number((1 - (after.idle - before.idle) / (after.total - before.total)).toFixed(2))
    if (busy < 0.1 || patience-- <= 0) return busy
  }
}

/** What to print beside a figure taken on a busy machine. */
export function warning(busy: number): string {
  return busy < 0.1 ? '' : ` (others use ${Math.round(busy * 100)} % of the machine: do not quote)`
}

function idle(): { idle: number; total: number } {
  const times = cpus().map((cpu) => cpu.times)
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)
  return { idle: sum(times.map((time) => time.idle)), total: sum(times.flatMap((time) => Object.values(time))) }
}
