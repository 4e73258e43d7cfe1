// Every example of the documentation runs, and says what comes out.
import { readFileSync } from 'node:fs'
import test from 'ava'
import * as firn from '../ts/index.ts'
import { tidy } from '../ts/tensor/index.ts'
import { compile, runExample } from './docExamples.ts'
import type { OpRow } from './helpers.ts'

const manifest: readonly OpRow[] = JSON.parse(readFileSync(new URL('ops.gen.json', import.meta.url), 'utf8'))
const isPublic = ({ faces }: OpRow) => faces.some((face) => face !== 'native')

const run = (lines: readonly string[]) => tidy(() => runExample(lines, firn))

test('every op has an example', (t) => {
  const without = manifest.filter((row) => isPublic(row) && row.example.length === 0).map(({ js }) => js)
  t.deepEqual(without, [], 'give the row #[example("expression // value")]')
})

for (const { js, example } of manifest.filter((row) => row.example.length > 0)) {
  test.serial(`op ${js}: its example says what comes out`, async (t) => {
    await t.notThrowsAsync(run(example))
    t.true(compile(example).checks > 0, 'no line of the example shows a value: expression // value')
  })
}
