// How a run begins: its options, its folder, and what it goes on from.
import { resolveDevice } from '../backend/index.ts'
import { checkOptions, FirnError } from '../errors.ts'
import { type Launcher, refuseOptions, type RunInfo, savedNumber, savedRecord } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'
import { readCheckpoint } from './checkpointFile.ts'
import { currentHparams } from './hparams.ts'
import { makeOutDir } from './outDir.ts'
import { writeRunFile } from './runFile.ts'
import type { TaskLike } from './task.ts'

/** Options of `graph.run`. */
export interface RunOptions {
  /** Where to compute: `'auto'` is the best device at hand; `firn doctor` lists those of this build. @default 'auto' */
  readonly device?: string
  /** The same as a list; training on several devices is not there yet, so it has one name. @default [device] */
  readonly devices?: readonly string[]
  /** What every random number of the run depends on. @default 0, or the seed of the run that is resumed */
  readonly seed?: number
  /** The first part of the name of the run's folder: a word without slashes. @default 'run' */
  readonly runId?: string
  /** The folder in which the run makes its own. @default 'out' */
  readonly outDir?: string
  /**
   * A checkpoint, or the folder of a run whose newest is taken: the run goes on where that one was saved, bit by bit as if it had
   * not been stopped.
   */
  readonly resumeFrom?: string
  /**
   * Whether Ctrl-C (SIGINT) and SIGTERM end the run in good order: the iteration is finished, a checkpoint saved (on a terminal, Ctrl-C
   * asks first), and `graph.run` returns with `stopped`; the second ends the process. `process.exitCode` is then 130 or 143 unless
   * set before. @default true where the program does not listen to these signals itself, else false
   */
  readonly signals?: boolean
}

/** The state that a run is resumed from. */
export interface Resumed {
  readonly path: string
  readonly nodes: StateTree
  readonly run: StateTree
}

/** The only process there is. */
export const launcher: Launcher = Object.freeze({ rank: 0, worldSize: 1 })

/** Checks the options, reads the checkpoint to resume from, and makes the folder. */
export async function openRun(
  tasks: readonly TaskLike[],
  options: RunOptions,
): Promise<{ readonly info: RunInfo; readonly resumed: Resumed | null }> {
  refuseOptions('graph.run', options, ['launcher'], 'running in several processes is not there yet')
  checkOptions('graph.run', options, ['device', 'devices', 'seed', 'runId', 'outDir', 'resumeFrom', 'signals'])
  const device = deviceOf(options)
  checkRunId(options.runId)
  const resumed = options.resumeFrom === undefined ? null : await readResumed(options.resumeFrom)
  const seed = seedOf(options.seed, resumed)
  const { runId, outDir } = await makeOutDir(options.outDir ?? 'out', options.runId ?? 'run')
  const info = { device, seed, runId, outDir, launcher, hparams: currentHparams() }
  await writeRunFile(outDir, info, options, tasks)
  return { info, resumed }
}

// Every name is looked at first, so that one that is not in this build is told of with the list of those that are.
function deviceOf({ device, devices }: RunOptions): string {
  if (devices === undefined) return resolveDevice(device ?? 'auto')
  if (device !== undefined) throw new FirnError('argument', "graph.run: 'device' and 'devices' are given; leave one out")
  if (!Array.isArray(devices)) throw new FirnError('argument', `graph.run: devices: ${String(devices)} given, expected a list: ['cpu']`)
  const [first, ...more] = devices.map(resolveDevice)
  if (first !== undefined && more.length === 0) return first
  throw new FirnError('argument', `graph.run: devices: ${devices.length} given, expected one; training on several devices is not there yet`)
}

function checkRunId(runId: string | undefined): void {
  if (runId === undefined || /^[^/\\]+$/.test(runId)) return
  throw new FirnError('argument', `graph.run: runId '${runId}', expected a word without '/' or '\\'; 'outDir' is the place for folders`)
}

async function readResumed(from: string): Promise<Resumed> {
  const { path, state } = await readCheckpoint(from)
  const { nodes = null, run = null } = savedRecord('resumeFrom', state)
  if (run === null)
    throw new FirnError('graph', `resumeFrom: '${path}' was saved outside of a run; take its values over with loadCheckpoint`)
  return { path, nodes, run }
}

// The order of the data hangs on the seed, so a resumed run cannot have another.
function seedOf(given: number | undefined, resumed: Resumed | null): number {
  if (resumed === null) return given ?? 0
  const saved = savedNumber('resumeFrom', savedRecord('resumeFrom', resumed.run), 'seed')
  if (given === undefined || given === saved) return saved
  throw new FirnError('argument', `resumeFrom: the run had seed ${saved}, ${given} is given; leave it out`)
}
