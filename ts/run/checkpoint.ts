// What a checkpoint holds: the states of nodes by uid, and that of the run.
import { FirnError } from '../errors.ts'
import { tensorsIn } from '../data/index.ts'
import { type AnyNode, ModuleNode, savedRecord } from '../graph/index.ts'
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

/** Gives nodes their states back. What does not fit is returned, a line each; with `strict` it is an error with code `'graph'`. */
export function restoreNodes(nodes: ReadonlyMap<string, AnyNode>, saved: StateTree | undefined, strict: boolean): readonly string[] {
  const states = savedRecord('checkpoint', saved)
  const differences = [...nodes].flatMap(([uid, node]) => {
    const state = states[uid]
    if (state === undefined) return node.keepsState ? [`node '${uid}' is not in the checkpoint`] : []
    return restoreNode(uid, node, node instanceof ModuleNode ? unshareModule(state, states) : state, strict)
  })
  if (strict && differences.length > 0)
    throw new FirnError('graph', `the checkpoint does not fit the graph:\n  ${differences.join('\n  ')}`)
  return differences
}

function restoreNode(uid: string, node: AnyNode, state: StateTree, strict: boolean): readonly string[] {
  try {
    return node.loadStateDict(state, strict).map((line) => `node '${uid}': ${line}`)
  } catch (cause) {
    const code = cause instanceof FirnError ? cause.code : 'graph'
    throw new FirnError(code, `the checkpoint does not fit node '${uid}': ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}

function unshareModule(state: StateTree, states: Readonly<Record<string, StateTree>>): StateTree {
  if (state === null) return null
  const { sharedWith, ...own } = savedRecord('checkpoint', state)
  if (typeof sharedWith !== 'string') return state
  return { ...own, module: savedRecord('checkpoint', states[sharedWith])['module'] ?? null }
}
