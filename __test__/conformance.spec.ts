// docs/conformance.md says how close every op is to PyTorch: no cell fails, none is empty, and the page is fresh.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { differences, faults, markdown, page, results } from './conformance/table.ts'

test('every op conforms to PyTorch in every column, or says why there is nothing to compare', (t) => {
  const found = results()
  t.true(found.length > 100)
  t.deepEqual(faults(found), [])
  t.deepEqual(differences(markdown(found), readFileSync(page, 'utf8')), [], 'npm run conformance writes the page')
})
