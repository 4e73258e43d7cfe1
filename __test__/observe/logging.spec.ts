// docs/logging.md: its table has every event.
import { readFileSync } from 'node:fs'
import test from 'ava'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/logging.md')

test('the table of events has every event, in the order of the type', (t) => {
  const type = /interface GraphEvents \{\n([\s\S]*?)\n\}/.exec(read('ts/graph/eventKinds.ts'))?.[1] ?? ''
  const kinds = Array.from(type.matchAll(/^ {2}(\w+):/gm), ([, kind]) => kind)
  t.true(kinds.length > 10)
  const rows = Array.from(page.matchAll(/^\| `(\w+)` \|/gm), ([, kind]) => kind)
  t.deepEqual(rows, kinds)
  for (const kind of kinds) t.regex(type, new RegExp(`\\*/\\n {2}${kind}:`), `${kind} has a line of documentation`)
})
