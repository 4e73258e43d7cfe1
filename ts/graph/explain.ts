// A selected graph in words: its nodes in order, the phases they act in, who reads whom.
import type { AnyNode } from './node.ts'

/** What `explain` looks at. */
export interface Explained {
  readonly tags: readonly string[]
  readonly nodes: ReadonlyMap<string, AnyNode>
  /** What each node that has run was seen to read. */
  readonly reads: ReadonlyMap<string, ReadonlySet<string>>
}

/** The graph in words. What a node reads is known once it has run, since nothing is declared; before, the text says so. */
export function explainGraph({ tags, nodes, reads }: Explained): string {
  const unknown = [...nodes.keys()].filter((name) => !reads.has(name))
  const lines = [...nodes].map(
    ([name, node]) => `  ${name}: ${node.constructor.name}, ${phasesOf(node)}, ${readsOf(reads.get(name))}${waitingOf(node)}`,
  )
  const order = unknown.length === 0 ? forwardOrder(nodes, reads) : []
  const moved = order.some((name, i) => name !== [...nodes.keys()][i])
  return [
    `tags ${tags.join(',')}: ${nodes.size === 1 ? '1 node' : `${nodes.size} nodes`} in order`,
    ...lines,
    ...(moved ? [`  forward visits ${order.join(', ')}`] : []),
    ...(unknown.length > 0
      ? ['  a node is seen to read others when it runs: run a task or graph.step() with these tags, then ask again']
      : []),
  ].join('\n')
}

const phasesOf = (node: AnyNode): string =>
  ['forward', ...(['backward', 'update'] as const).filter((phase) => node.actsIn(phase))].join(' ')

function readsOf(read: ReadonlySet<string> | undefined): string {
  if (read === undefined) return 'reads not known yet'
  return read.size === 0 ? 'reads nothing' : `reads ${[...read].join(', ')}`
}

const waitingOf = ({ waiting }: AnyNode): string => (waiting === null ? '' : `; waits for several processes: ${waiting}`)

// Producers first, otherwise as added.
function forwardOrder(nodes: Explained['nodes'], reads: Explained['reads']): readonly string[] {
  const order = new Set<string>()
  const visit = (name: string, path: ReadonlySet<string>): void => {
    if (order.has(name) || path.has(name)) return
    for (const read of reads.get(name) ?? []) visit(read, new Set([...path, name]))
    order.add(name)
  }
  for (const name of nodes.keys()) visit(name, new Set())
  return [...order]
}
