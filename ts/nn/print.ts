// How a module prints: PyTorch's tree, with the number of parameters behind each line.
import type { Module } from './module.ts'

/** The tree of a module as text. */
export function printModule(module: Module): string {
  const parameters = module.parameters()
  const total = parameters.reduce((sum, { size }) => sum + size, 0)
  const trainable = parameters.reduce((sum, { size, requiresGrad }) => sum + (requiresGrad ? size : 0), 0)
  const frozen = trainable === total ? '' : trainable === 0 ? ', frozen' : `, ${count(trainable)} trainable`
  const note = total === 0 ? '' : `  # ${count(total)} parameters${frozen}`
  const lines = module.namedChildren().map(([name, child]) => `  (${name}): ${printModule(child).replaceAll('\n', '\n  ')}`)
  const head = `${module.constructor.name}(${module.extraRepr()}`
  return lines.length === 0 ? `${head})${note}` : `${head}${note}\n${lines.join('\n')}\n)`
}

const count = (n: number): string => n.toLocaleString('en-US')
