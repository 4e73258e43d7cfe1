// What was seen of a selected graph: its nodes in order, the phases they act in, who reads whom; and the same in words.
import type { SeenNode } from './eventKinds.ts'
import type { AnyNode } from './node.ts'

/** What is looked at. */
export interface Explained {
  readonly tags: readonly string[]
  readonly nodes: ReadonlyMap<string, AnyNode>
  /** What each node that has run was seen to read. */
  readonly reads: ReadonlyMap<string, ReadonlySet<string>>
}

/** The nodes in order. What a node reads is known once it has run, since nothing is declared. */
export const seenNodes = ({ nodes, reads }: Explained): SeenNode[] =>
  [...nodes].map(([name, node]) => {
    const read = reads.get(name)
    return { name, kind: node.constructor.name, phases: phasesOf(node), reads: read === undefined ? null : [...read] }
  })

/** The graph in words. Before its nodes have run, the text says so. */
export function explainGraph(graph: Explained): string {
  const seen = seenNodes(graph)
  const lines = seen.map(
    ({ name, kind, phases, reads }) => `  ${name}: ${kind}, ${phases.join(' ')}, ${readsOf(reads)}${waitingOf(graph.nodes.get(name))}`,
  )
  const isWhole = seen.every(({ reads }) => reads !== null)
  const order = isWhole ? forwardOrder(graph) : []
  const moved = order.some((name, i) => name !== seen[i]?.name)
  return [
    `tags ${graph.tags.join(',')}: ${seen.length === 1 ? '1 node' : `${seen.length} nodes`} in order`,
    ...lines,
    ...(moved ? [`  forward visits ${order.join(', ')}`] : []),
    ...(isWhole ? [] : ['  a node is seen to read others when it runs: run a task or graph.step() with these tags, then ask again']),
  ].join('\n')
}

const phasesOf = (node: AnyNode): string[] => ['forward', ...(['backward', 'update'] as const).filter((phase) => node.actsIn(phase))]

function readsOf(reads: readonly string[] | null): string {
  if (reads === null) return 'reads not known yet'
  return reads.length === 0 ? 'reads nothing' : `reads ${reads.join(', ')}`
}

function waitingOf(node: AnyNode | undefined): string {
  const waiting = node?.waiting ?? null
  return waiting === null ? '' : `; waits for several processes: ${waiting}`
}

// Producers first, otherwise as added.
function forwardOrder({ nodes, reads }: Explained): readonly string[] {
  const order = new Set<string>()
  const visit = (name: string, path: ReadonlySet<string>): void => {
    if (order.has(name) || path.has(name)) return
    for (const read of reads.get(name) ?? []) visit(read, new Set([...path, name]))
    order.add(name)
  }
  for (const name of nodes.keys()) visit(name, new Set())
  return [...order]
}
