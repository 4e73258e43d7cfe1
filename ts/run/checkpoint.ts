// What a checkpoint holds: the states of nodes by uid, and that of the run.
import { tensorsIn } from '../data/index.ts'
import { allowed, type AnyNode, ModuleNode, savedRecord } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'

/** The states of nodes by uid, all as they are at the time of the call; a module that several nodes share is held once. */
export async function nodeStates(nodes: ReadonlyMap<string, AnyNode>): Promise<StateTree> {
  const owners = new Map<object, string>()
  const states = [...nodes].map(async ([uid, node]): Promise<[string, StateTree]> => {
    const state = node.stateDict()
    if (!(node instanceof ModuleNode)) return [uid, await state]
    const owner = owners.get(node.module)
    if (owner !== undefined) return [uid, shareModule(await state, owner)]
    owners.set(node.module, uid)
    return [uid, await state]
  })
  return Object.fromEntries(await Promise.all(states))
}

function shareModule(state: StateTree, owner: string): StateTree {
  const { module, ...rest } = savedRecord('checkpoint', state)
  for (const tensor of tensorsIn(module)) tensor.dispose()
  return { ...rest, sharedWith: owner }
}

/** A part of a checkpoint beside what it is for. */
export interface Loading {
  /** What does not fit, a line each. */
  readonly differences: readonly string[]
  /** Takes over what fits. */
  load(): void
}

/** Takes over several parts, once all of them were compared. @returns the differences; with `strict` they are an error with code `'graph'` */
export function loadAll(path: string, parts: readonly Loading[], strict: boolean): readonly string[] {
  const differences = allowed(
    `the checkpoint '${path}' does not fit`,
    parts.flatMap((part) => part.differences),
    strict,
  )
  for (const part of parts) part.load()
  return differences
}

/** The states of nodes, beside the nodes. */
export function compareNodes(nodes: ReadonlyMap<string, AnyNode>, saved: StateTree | undefined): Loading {
  const states = savedRecord('checkpoint', saved)
  const parts = [...nodes].map(([uid, node]) => {
    const state = states[uid]
    if (state !== undefined) return compareNode(uid, node, node instanceof ModuleNode ? unshareModule(state, states) : state)
    return { differences: node.keepsState ? [`node '${uid}' is not in the checkpoint`] : [], load: () => {} }
  })
  return { differences: parts.flatMap(({ differences }) => differences), load: () => parts.forEach(({ load }) => load()) }
}

// A state in which nothing can be read stays where it is.
function compareNode(uid: string, node: AnyNode, state: StateTree): Loading {
  try {
    const differences = node.checkStateDict(state).map((line) => `node '${uid}': ${line}`)
    return { differences, load: () => void node.loadStateDict(state, false) }
  } catch (error) {
    return { differences: [`node '${uid}': ${error instanceof Error ? error.message : String(error)}`], load: () => {} }
  }
}

function unshareModule(state: StateTree, states: Readonly<Record<string, StateTree>>): StateTree {
  if (state === null) return null
  const { sharedWith, ...own } = savedRecord('checkpoint', state)
  if (typeof sharedWith !== 'string') return state
  return { ...own, module: savedRecord('checkpoint', states[sharedWith])['module'] ?? null }
}
