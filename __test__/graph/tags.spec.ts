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
