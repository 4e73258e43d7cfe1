// Prints what optimizers train: one line for each group.
import type { BoundOptimizer } from './bound.ts'

/**
 * A table of the groups of bound optimizers under the patterns that chose their parameters:
 * pattern, tensors, numbers, rule, rate, weight decay.
 *
 * @example
 * console.log(groupTable({ '^fc': optim.sgd({ lr: 0.1 }).bind(model) }))
 */
export function groupTable(optimizers: Readonly<Record<string, BoundOptimizer>>): string {
  const rows = Object.entries(optimizers).flatMap(([pattern, { optimizer, paramGroups }]) =>
    paramGroups.map(({ pattern: own, params, size, schedule, lr, options }) => [
      own ?? pattern,
      count(params.length),
      count(size),
      optimizer.rule,
      schedule?.toString() ?? String(lr),
      String(options['weightDecay'] ?? '-'),
    ]),
  )
  const table = [['pattern', 'tensors', 'numbers', 'rule', 'lr', 'decay'], ...rows]
  const width = (column: number): number => Math.max(...table.map((row) => row[column]?.length ?? 0))
  return table
    .map((row) =>
      row
        .map((cell, i) => (isNumeric(i) ? cell.padStart(width(i)) : cell.padEnd(width(i))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const isNumeric = (column: number): boolean => column === 1 || column === 2

const count = (n: number): string => n.toLocaleString('en-US')
