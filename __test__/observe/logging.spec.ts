// docs/logging.md: its examples run, and its table has every event.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { tidy } from '../../ts/tensor/index.ts'
import { runExample } from '../docExamples.ts'
import { given, inFolder } from '../docScope.ts'

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

const examples = Array.from(page.matchAll(/^```ts\n([\s\S]*?)\n```$/gm), ([, code = '']) => code.split('\n'))

for (const [i, lines] of examples.entries()) {
  test.serial(`example ${i + 1} runs: ${lines.find((line) => line.trim() !== '')}`, async (t) => {
    const whole = lines.some((line) => line.includes('graph.run(')) ? lines : [...lines, 'await graph.run([train({ epochs: 1 })])']
    await t.notThrowsAsync(tidy(() => inFolder(() => runExample(whole, given(whole)))))
  })
}
