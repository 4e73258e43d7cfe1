// Prints what optimizers train: one line for each group.
import type { BoundOptimizer } from './bound.ts'
import { completeOptions, type OptionValue, type RuleName } from './rule.ts'

/**
 * A table of the groups of bound optimizers under the patterns that chose their parameters: pattern, tensors, numbers, rule, rate, weight
 * decay, the other options that are not the rule's defaults, and the first names.
 *
 * @example
 * console.log(groupTable({ '^fc': optim.sgd({ lr: 0.1 }).bind(model) }))
 */
export function groupTable(optimizers: Readonly<Record<string, BoundOptimizer>>): string {
  const rows = Object.entries(optimizers).flatMap(([pattern, { optimizer, paramGroups }]) =>
    paramGroups.map(({ pattern: own, params, names, size, schedule, lr, options }) => [
      own ?? pattern,
      count(params.length),
      count(size),
      optimizer.rule,
      schedule?.toString() ?? String(lr),
      String(options['weightDecay'] ?? '-'),
      showOptions(optimizer.rule, options),
      showNames(names),
    ]),
  )
  const table = [['pattern', 'tensors', 'numbers', 'rule', 'lr', 'decay', 'options', 'parameters'], ...rows]
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

// Those that have columns of their own aside.
function showOptions(rule: RuleName, options: Readonly<Record<string, OptionValue>>): string {
  const defaults = completeOptions(rule, rule, {})
  const own = Object.entries(options).filter(
    ([name, value]) => name !== 'weightDecay' && JSON.stringify(value) !== JSON.stringify(defaults[name]),
  )
  return own.length === 0 ? '-' : own.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ')
}

const shownNames = 3

function showNames(names: readonly string[]): string {
  const more = names.length - shownNames
  return more > 0 ? `${names.slice(0, shownNames).join(', ')} and ${count(more)} more` : names.join(', ')
}
