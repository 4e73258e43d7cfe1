// `npm run bench [-- ops optimizer train-step]`: each topic in a process of its own; all by default.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const topics = readdirSync(here)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))
const asked = process.argv.slice(2)
const unknown = asked.find((topic) => !topics.includes(topic))
if (unknown !== undefined) {
  console.error(`no topic '${unknown}'; there are ${topics.join(', ')}`)
  process.exit(1)
}
for (const topic of asked.length > 0 ? asked : topics) {
  const { status } = spawnSync(process.execPath, ['--conditions=firn-source', join(here, `${topic}.bench.ts`)], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
