// Which nodes a query selects: the matching rule, alone.
import { FirnError } from '../errors.ts'

/** One tag or several; their order means nothing. `'*'` is everything. */
export type Tags = string | readonly string[]

/** Tags as a sorted list without repeats. Fails with code `'argument'` on none, on an empty one, and on one holding `,` or `/`. */
export function tagList(tags: Tags): readonly string[] {
  const list = [...new Set(typeof tags === 'string' ? [tags] : tags)].toSorted()
  const bad = list.find((tag) => tag === '' || /[,/]/.test(tag))
  if (list.length === 0 || bad !== undefined) {
    throw new FirnError(
      'argument',
      `tags: ${JSON.stringify(tags)} given, expected at least one word without ',' or '/'; '*' stands for everything`,
    )
  }
  return list
}

/**
 * True when a node with these tags belongs to the query: `'*'` on either side, a `'#tag'` that both have (OR),
 * or plain tags that are all in the query (AND).
 *
 * @example
 * matches(['train'], ['train', 'stage1']) // true
 * matches(['#debug'], ['train'])          // false
 */
export function matches(nodeTags: readonly string[], query: readonly string[]): boolean {
  if (query.includes('*') || nodeTags.includes('*')) return true
  if (nodeTags.some((tag) => tag.startsWith('#') && query.includes(tag))) return true
  const plain = nodeTags.filter((tag) => !tag.startsWith('#'))
  return plain.length > 0 && plain.every((tag) => query.includes(tag))
}

/** True for a node that stands in only where no more specifically tagged node of its name is selected. */
export const isDefault = (nodeTags: readonly string[]): boolean => nodeTags.includes('*')
