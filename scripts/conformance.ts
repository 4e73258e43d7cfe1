// `npm run conformance`: every op against PyTorch's numbers, column by column, into docs/conformance.md.
import { writeFileSync } from 'node:fs'
import { faults, markdown, page, results } from '../__test__/conformance/table.ts'

const found = results()
const wrong = faults(found)
if (wrong.length > 0) {
  console.error(`${wrong.join('\n')}\n${wrong.length} cells fail`)
  process.exitCode = 1
} else {
  writeFileSync(page, markdown(found))
  console.log(`docs/conformance.md: ${found.length} ops, ${found.length * (found[0]?.cells.length ?? 0)} cells`)
}
