// The folder of a run: out/<runId>_<date>_<random>/{ckpts,logs,src}.
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FirnError } from '../errors.ts'

/** Makes the folder of a run, with the entry script in `src`. Fails with code `'io'` when it cannot be made. */
export async function makeOutDir(parent: string, runId: string): Promise<{ readonly runId: string; readonly outDir: string }> {
  const name = `${runId}_${timestamp(new Date())}_${randomBytes(2).toString('hex')}`
  const outDir = join(parent, name)
  try {
    for (const folder of ['ckpts', 'logs', 'src']) await mkdir(join(outDir, folder), { recursive: true })
    const entry = process.argv[1]
    if (entry !== undefined && statSync(entry, { throwIfNoEntry: false })?.isFile())
      await copyFile(entry, join(outDir, 'src', basename(entry)))
  } catch (cause) {
    throw new FirnError('io', `graph.run: cannot make the folder '${outDir}'; give another outDir`, { cause })
  }
  return { runId: name, outDir }
}

function timestamp(now: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
}
