// run.json in the folder of a run: what it was started with.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nativeInfo } from '../backend/index.ts'
import { FirnError } from '../errors.ts'
import type { RunInfo } from '../graph/index.ts'
import { taskLines } from './describeTasks.ts'
import type { TaskLike } from './task.ts'

/** Writes the command line, versions, device, seed, hyper-parameters, options and tasks of a run into its folder. Fails with code `'io'`. */
export async function writeRunFile(outDir: string, info: RunInfo, options: object, tasks: readonly TaskLike[]): Promise<void> {
  const path = join(outDir, 'run.json')
  const { node } = process.versions
  const record = {
    runId: info.runId,
    started: new Date().toISOString(),
    command: process.argv,
    cwd: process.cwd(),
    versions: { firn: nativeInfo().version, node },
    platform: `${process.platform}-${process.arch}`,
    device: info.device,
    seed: info.seed,
    hparams: info.hparams,
    options,
    tasks: taskLines(tasks),
  }
  try {
    await writeFile(path, `${JSON.stringify(record, null, 2)}\n`)
  } catch (cause) {
    throw new FirnError('io', `graph.run: cannot write '${path}'`, { cause })
  }
}
