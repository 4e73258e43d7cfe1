// What a node's options may hold: hooks for its events, and resources.

/** The events of a node, in the order of their first call. */
export const nodeEvents = ['prepare', 'epochStart', 'forward', 'backward', 'update', 'epochEnd', 'cleanUp'] as const
export type NodeEvent = (typeof nodeEvents)[number]

/** Hooks of a node. Each comes after the node's own part of the event. A hook that may return a promise is waited for. */
export interface NodeHooks<Self, C, Out> {
  /** Before the first iteration of a task whose nodes or mode differ from the one before. */
  prepare?(node: Self): void | Promise<void>
  epochStart?(node: Self): void | Promise<void>
  /** Makes the node's output from the outputs of others, `x`. */
  forward?(node: Self, x: C): Out
  backward?(node: Self): void
  update?(node: Self): void
  epochEnd?(node: Self): void | Promise<void>
  /** At the end of the run. */
  cleanUp?(node: Self): void | Promise<void>
}

/** What the options of a node hold beside its hooks; hooks find it as `node.key`. */
export type Resources<R> = { readonly [K in keyof R]: R[K] }

/** Whether an option is a hook. */
export const isNodeEvent = (key: string): key is NodeEvent => nodeEvents.some((event) => event === key)
