import test from 'ava'
import { matches, tagList } from '../../ts/graph/index.ts'

// Node tags, query, selected?
const table: [tags: string, query: string, selected: boolean][] = [
  ['train', 'train', true],
  ['train', 'val', false],
  ['train', 'train,val', true],
  ['train,stage1', 'train', false],
  ['train,stage1', 'train,stage1', true],
  ['train,stage1', 'stage1,train,more', true],
  ['#debug', '#debug', true],
  ['#debug', 'train', false],
  ['#debug', 'train,#debug', true],
  ['train,#debug', 'train', true],
  ['train,#debug', '#debug', true],
  ['train,#debug', 'val', false],
  ['train,#a,#b', '#b', true],
  ['*', 'train', true],
  ['*', '#debug', true],
  ['train', '*', true],
  ['#debug', '*', true],
]

for (const [tags, query, selected] of table) {
  test(`a node tagged ${tags} is ${selected ? '' : 'not '}selected by ${query}`, (t) => {
    t.is(matches(tags.split(','), query.split(',')), selected)
  })
}

test('B1: a node tagged only #x is selected by #x and * alone', (t) => {
  const queries = ['train', 'train,val', '#y', '#x', '*']
  t.deepEqual(
    queries.filter((query) => matches(['#x'], query.split(','))),
    ['#x', '*'],
  )
})

test('tags are a set: order and repeats mean nothing', (t) => {
  t.deepEqual(tagList(['b', 'a', 'b']), ['a', 'b'])
  t.deepEqual(tagList('a'), ['a'])
})

for (const bad of [[], [''], 'a,b', 'a/b']) {
  test(`tags ${JSON.stringify(bad)} are refused`, (t) => {
    t.throws(() => tagList(bad), { code: 'argument', message: /expected at least one word/ })
  })
}

/** All ways to choose from `words`, the empty one included. */
const subsets = (words: readonly string[]): string[][] =>
  words.reduce<string[][]>((chosen, word) => [...chosen, ...chosen.map((set) => [...set, word])], [[]])

// The rule in plain words, over sets: everything; a '#tag' in common; or plain tags, at least one, all of which are asked for.
function rule(tags: ReadonlySet<string>, query: ReadonlySet<string>): boolean {
  const common = [...tags].filter((tag) => query.has(tag))
  const plain = [...tags].filter((tag) => tag !== '*' && !tag.startsWith('#'))
  const everything = tags.has('*') || query.has('*')
  const hash = common.some((tag) => tag.startsWith('#'))
  const allPlain = plain.length > 0 && plain.every((tag) => common.includes(tag))
  return everything || hash || allPlain
}

test('truth table: every node of up to five tags against every query of the same', (t) => {
  const sets = subsets(['a', 'b', '#x', '#y', '*']).filter((set) => set.length > 0)
  const wrong = sets.flatMap((tags) =>
    sets.filter((query) => matches(tags, query) !== rule(new Set(tags), new Set(query))).map((query) => `${tags} by ${query}`),
  )
  t.deepEqual(wrong, [])
  const selected = sets.flatMap((tags) => sets.filter((query) => matches(tags, query)))
  // Of 31 x 31: 16 x 31 with a node of '*', 15 x 16 more with a query of '*', and 157 by tags.
  t.is(selected.length, 16 * 31 + 15 * 16 + 157)
})

test('more tags in a query never select fewer nodes', (t) => {
  const sets = subsets(['a', 'b', '#x', '#y', '*']).filter((set) => set.length > 0)
  const lost = sets.flatMap((tags) =>
    sets.filter((query) => matches(tags, query) && !matches(tags, [...query, 'c'])).map((query) => `${tags} by ${query}`),
  )
  t.deepEqual(lost, [])
})
