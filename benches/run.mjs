// `npm run bench [-- ops optimizer train-step] [--match adamW]`: each topic in a process of its own; all by default. With `--match`, only
// works with that in their name run, and take the place of their old rows.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const here = import.meta.dirname
const topics = readdirSync(here)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))
const { values, positionals: asked } = parseArgs({ allowPositionals: true, options: { match: { type: 'string', default: '' } } })
const unknown = asked.find((topic) => !topics.includes(topic))
if (unknown !== undefined) {
  console.error(`no topic '${unknown}'; there are ${topics.join(', ')}`)
  process.exit(1)
}
for (const topic of asked.length > 0 ? asked : topics) {
  const { status } = spawnSync(process.execPath, ['--conditions=firn-source', join(here, `${topic}.bench.ts`), values.match], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}
