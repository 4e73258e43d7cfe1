// The nodes of a graph by tags and name, and the graphs that queries select from them.
import { FirnError, nearest } from '../errors.ts'
import { reservedNames } from './cache.ts'
import { ExecutableGraph } from './executableGraph.ts'
import type { AnyNode } from './node.ts'
import { isDefault, matches, tagList, type Tags } from './tags.ts'

interface Entry {
  readonly name: string
  readonly tags: readonly string[]
  readonly node: AnyNode
}

/** Nodes under tags and names. */
export class NodeSet {
  readonly #entries = new Map<string, Entry>()
  readonly #graphs = new Map<string, ExecutableGraph>()

  /** Adds a node. Fails with code `'graph'` when the place is taken or the node is here already. */
  add(name: string, node: AnyNode, tags: Tags): void {
    const entry = { name, tags: tagList(tags), node }
    const uid = uidOf(entry)
    if (name === '' || name.includes('/') || reservedNames.includes(name)) {
      throw new FirnError(
        'argument',
        `graph.add: '${name}' cannot name a node; expected a word without '/', other than ${reservedNames.join(', ')}`,
      )
    }
    if (this.#entries.has(uid))
      throw new FirnError('graph', `graph.add: there is a node '${uid}' already; give this one another name or other tags`)
    const twin = [...this.#entries].find(([, other]) => other.node === node)
    if (twin !== undefined)
      throw new FirnError(
        'graph',
        `graph.add: this node is in the graph as '${twin[0]}'; give that one several tags, or make a second node`,
      )
    this.#entries.set(uid, entry)
    this.#graphs.clear()
  }

  /** Takes the node out of the set and returns it. @param uid `'tags/name'`, or the name alone when no other node has it */
  remove(uid: string): AnyNode {
    const [found, entry] = this.#find(uid)
    this.#entries.delete(found)
    this.#graphs.clear()
    return entry.node
  }

  /** The node of this uid: `'tags/name'`, or the name alone when no other node has it. */
  get(uid: string): AnyNode {
    return this.#find(uid)[1].node
  }

  /** Nodes by `'tags/name'`, in the order in which they were added; those that a query selects, defaults included. */
  byUid(query: Tags): ReadonlyMap<string, AnyNode> {
    const tags = tagList(query)
    return new Map([...this.#entries].filter(([, entry]) => matches(entry.tags, tags)).map(([uid, entry]) => [uid, entry.node]))
  }

  /** Nodes of a query by name, defaults only where nothing more specific has their name. Fails with code `'graph'` when two of one name are left. */
  select(query: Tags): ReadonlyMap<string, AnyNode> {
    const tags = tagList(query)
    const matching = [...this.#entries].filter(([, entry]) => matches(entry.tags, tags))
    const specific = new Set(matching.filter(([, entry]) => !isDefault(entry.tags)).map(([, entry]) => entry.name))
    const chosen = new Map<string, readonly [uid: string, node: AnyNode]>()
    for (const [uid, { name, tags: own, node }] of matching) {
      if (isDefault(own) && specific.has(name)) continue
      const other = chosen.get(name)
      if (other !== undefined)
        throw new FirnError(
          'graph',
          `tags '${tags.join(',')}' select both '${other[0]}' and '${uid}'; a query may select one node of a name`,
        )
      chosen.set(name, [uid, node])
    }
    return new Map([...chosen].map(([name, [, node]]) => [name, node]))
  }

  /** The graph of a query; the same one until nodes are added or removed. */
  graph(query: Tags): ExecutableGraph {
    const tags = tagList(query)
    const key = tags.join(',')
    const known = this.#graphs.get(key)
    if (known !== undefined) return known
    const nodes = this.select(tags)
    if (nodes.size === 0) {
      const uids = [...this.#entries.keys()].join(', ')
      throw new FirnError('graph', `tags '${key}' select no node; ${uids === '' ? 'the graph is empty' : `the graph has ${uids}`}`)
    }
    const graph = new ExecutableGraph(tags, nodes, (name) => this.#explainMissing(name, tags, nodes))
    this.#graphs.set(key, graph)
    return graph
  }

  #find(uid: string): readonly [string, Entry] {
    const slash = uid.lastIndexOf('/')
    const name = uid.slice(slash + 1)
    const wanted = slash < 0 ? undefined : tagList(uid.slice(0, slash).split(',')).join(',')
    const found = [...this.#entries].filter(([, entry]) => entry.name === name && (wanted === undefined || entry.tags.join(',') === wanted))
    const [only] = found
    if (only !== undefined && found.length === 1) return only
    const uids = [...this.#entries.keys()]
    if (found.length > 1)
      throw new FirnError('graph', `graph: '${uid}' may be ${found.map(([each]) => `'${each}'`).join(' or ')}; say which`)
    const near = nearest(uid, uids)
    const hint = near === undefined ? '' : `; did you mean '${near}'?`
    throw new FirnError(
      'graph',
      `graph: no node '${uid}'${hint} (${uids.length === 0 ? 'the graph is empty' : `the graph has ${uids.join(', ')}`})`,
    )
  }

  #explainMissing(name: string, tags: readonly string[], selected: ReadonlyMap<string, AnyNode>): string {
    const elsewhere = [...this.#entries].filter(([, entry]) => entry.name === name).map(([uid]) => `'${uid}'`)
    const near = nearest(name, [...selected.keys()])
    const why =
      elsewhere.length > 0
        ? `which is in the graph as ${elsewhere.join(' and ')}, not selected by tags '${tags.join(',')}'`
        : `which no node is called${near === undefined ? '' : `; did you mean '${near}'?`}`
    return `${why}. Tags '${tags.join(',')}' select ${[...selected.keys()].join(', ')}`
  }
}

const uidOf = ({ tags, name }: Entry): string => `${tags.join(',')}/${name}`
