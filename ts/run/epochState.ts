// What is gathered over an epoch, set aside while other tasks run in the middle of it.
import { type ExecutableGraph, loadMetrics, type RunContext, savedJson, savedRecord } from '../graph/index.ts'
import type { Json } from '../io/index.ts'

/** What the nodes of a graph have gathered since the epoch began, and what they reported; plain data, for checkpoints. */
export async function epochState({ nodes }: ExecutableGraph, { metrics }: RunContext): Promise<Json> {
  const states = [...nodes].map(async ([name, node]): Promise<[string, Json]> => [name, await node.epochState()])
  return { metrics: Object.fromEntries(metrics), nodes: Object.fromEntries(await Promise.all(states)) }
}

/** Takes back what `epochState` gave. */
export function loadEpochState({ nodes }: ExecutableGraph, { metrics }: RunContext, state: Json): void {
  const saved = savedRecord('epoch', state)
  metrics.clear()
  for (const [name, value] of Object.entries(loadMetrics(saved['metrics']))) metrics.set(name, value)
  const states = savedRecord('epoch', saved['nodes'])
  for (const [name, node] of nodes) node.loadEpochState(savedJson('epoch', states[name] ?? null))
}
