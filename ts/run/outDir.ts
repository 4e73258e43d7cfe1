// The folder of a run: out/<runId>_<date>_<random>/{ckpts,logs,src}.
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FirnError } from '../errors.ts'
import { keepSources } from './sources.ts'

/** Makes the folder of a run, with the entry script and what it imports in `src`. Fails with code `'io'` when it cannot be made. */
export async function makeOutDir(parent: string, runId: string): Promise<{ readonly runId: string; readonly outDir: string }> {
  const name = `${runId}_${timestamp(new Date())}_${randomBytes(2).toString('hex')}`
  const outDir = join(parent, name)
  try {
    for (const folder of ['ckpts', 'logs', 'src']) await mkdir(join(outDir, folder), { recursive: true })
  } catch (cause) {
    throw new FirnError('io', `graph.run: cannot make the folder '${outDir}'; give another outDir`, { cause })
  }
  try {
    if (process.argv[1] !== undefined) keepSources(process.argv[1], join(outDir, 'src'))
  } catch (error) {
    console.warn(`sources of the program are not kept: ${String(error)}; the run is not affected`)
  }
  return { runId: name, outDir }
}

function timestamp(now: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
}
