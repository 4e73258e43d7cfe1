// `firn inspect`: what is in a checkpoint, or in any safetensors file.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'
import { FirnError } from '../errors.ts'
import { tensorsIn } from '../data/index.ts'
import { type EpochRecord, loadHistory } from '../graph/index.ts'
import { loadSafetensors, type StateTree } from '../io/index.ts'
import { epochLine } from '../observe/index.ts'
import { readCheckpoint } from '../run/index.ts'
import { Tensor } from '../tensor/index.ts'

/** A checkpoint in words and numbers. */
interface Summary {
  readonly path: string
  readonly bytes: number
  readonly modified: string
  readonly tensors: number
  readonly numbers: number
  readonly dtypes: readonly string[]
  /** Null for what was saved outside of a run, and for a file of tensors alone. */
  readonly run: RunSummary | null
  readonly nodes: Readonly<Record<string, NodeSummary>>
  /** Of a file of tensors alone: each with its dtype and shape. */
  readonly contents: Readonly<Record<string, string>>
}

interface RunSummary {
  readonly seed: number
  readonly epochs: number
  readonly trainIterations: number
  readonly evalIterations: number
  /** From the outermost list inwards. */
  readonly place: readonly string[]
  readonly lossScale: number | null
  /** The last epoch of each kind. */
  readonly last: readonly EpochRecord[]
}

interface NodeSummary {
  readonly tensors: number
  readonly numbers: number
  readonly optimizers: readonly OptimizerSummary[]
  /** What else the node keeps, in a few words. */
  readonly notes: readonly string[]
}

interface OptimizerSummary {
  readonly pattern: string
  readonly rule: string
  readonly updates: number
  /** Iterations of a window that is not full. */
  readonly waiting: number
  readonly groups: readonly { readonly parameters: number; readonly lr: unknown; readonly schedule: unknown }[]
}

/** Prints the summary of a checkpoint, the newest one of a folder, or a safetensors file; the exit status is 1 when it cannot be read. */
export async function inspect(path: string, { json }: { json: boolean }): Promise<number> {
  try {
    const summary = await summarise(path)
    console.log(json ? JSON.stringify(summary, null, 2) : describe(summary))
    return 0
  } catch (error) {
    console.error(error instanceof FirnError ? `firn inspect: ${error.message}` : error)
    return 1
  }
}

async function summarise(from: string): Promise<Summary> {
  const { path, state: raw } = await read(from)
  const state = printable(raw)
  const { size: bytes, mtime } = statSync(path)
  const members = membersOf(state)
  const isCheckpoint = members.has('nodes')
  const nodes = [...membersOf(members.get('nodes'))].map(([uid, node]) => [uid, summariseNode(node)] as const)
  const contents = [...(isCheckpoint ? [] : members)].flatMap(([name, tensor]) =>
    tensor instanceof Tensor ? [[name, `${tensor.dtype} [${tensor.shape.join(', ')}]`] as const] : [],
  )
  return {
    path,
    bytes,
    modified: mtime.toISOString(),
    ...sizeOf(state),
    run: summariseRun(membersOf(members.get('run'))),
    nodes: Object.fromEntries(nodes),
    contents: Object.fromEntries(contents),
  }
}

// A file of tensors alone is one that a checkpoint is refused as.
async function read(path: string): Promise<{ readonly path: string; readonly state: StateTree }> {
  if (!existsSync(path)) throw new FirnError('io', `there is no file or folder '${path}'`)
  try {
    return await readCheckpoint(path)
  } catch (error) {
    if (!statSync(path).isFile()) throw withRuns(path, error)
    const { tensors, metadata } = await loadSafetensors(path).catch(() => {
      throw error
    })
    if (metadata['format']?.startsWith('firn-') === true) throw error
    return { path, state: tensors }
  }
}

/** The error, with the runs in a folder that holds several. */
function withRuns(folder: string, error: unknown): unknown {
  const runs = readdirSync(folder).flatMap((name) => (existsSync(join(folder, name, 'ckpts')) ? [join(folder, name)] : []))
  if (runs.length === 0 || !(error instanceof FirnError)) return error
  return new FirnError(error.code, `${error.message}; name one of the runs in it:\n  ${runs.toSorted().join('\n  ')}`, { cause: error })
}

function summariseRun(run: Members): RunSummary | null {
  if (run.size === 0) return null
  const counters = membersOf(run.get('counters'))
  const scaler = membersOf(run.get('gradScaler'))
  const records = loadHistory(run.get('history'))
  const last = [true, false].flatMap((training) => {
    const record = records.findLast((each) => each.training === training)
    return record === undefined ? [] : [record]
  })
  return {
    seed: numberOf(run.get('seed')),
    epochs: numberOf(counters.get('trainEpochs')),
    trainIterations: numberOf(counters.get('trainIterations')),
    evalIterations: numberOf(counters.get('evalIterations')),
    place: listOf(run.get('place')).map((level) => placeOf(membersOf(level))),
    lossScale: scaler.size === 0 ? null : numberOf(scaler.get('scale')),
    last,
  }
}

function placeOf(level: Members): string {
  const label = String(listOf(level.get('labels')).at(-1))
  const progress = membersOf(level.get('progress'))
  if (label === 'repeat') return `repeat, round ${numberOf(level.get('round')) + 1}`
  if (progress.size === 0) return label
  return `${label}: ${count(numberOf(progress.get('epochs')), 'epoch')} and ${count(numberOf(progress.get('epochSteps')), 'iteration')} done`
}

function summariseNode(state: StateTree): NodeSummary {
  const node = membersOf(state)
  const optimizers = [...membersOf(node.get('optimizers'))].map(([pattern, saved]) => summariseOptimizer(pattern, membersOf(saved)))
  return { ...sizeOf(node.get('module') ?? null), optimizers, notes: notesOf(node) }
}

function summariseOptimizer(pattern: string, saved: Members): OptimizerSummary {
  const groups = listOf(saved.get('groups')).map((each) => {
    const group = membersOf(each)
    const schedule = membersOf(group.get('given')).get('lr')
    return {
      parameters: listOf(group.get('params')).length,
      lr: membersOf(group.get('options')).get('lr'),
      schedule: membersOf(schedule).get('kind') ?? null,
    }
  })
  const waiting = numberOf(membersOf(saved.get('window')).get('count'))
  return { pattern, rule: String(saved.get('rule')), updates: numberOf(saved.get('steps')), waiting, groups }
}

function notesOf(node: Members): string[] {
  const notes: string[] = []
  const best = membersOf(membersOf(node.get('best')).get('best'))
  if (best.size > 0) notes.push(`best ${short(numberOf(best.get('value')))}, at epoch ${numberOf(best.get('epoch'))}`)
  if (node.has('position'))
    notes.push(`pass ${numberOf(node.get('epoch'))}, ${numberOf(node.get('position'))} of ${numberOf(node.get('length'))} batches`)
  if (typeof node.get('sharedWith') === 'string') notes.push(`module shared with ${String(node.get('sharedWith'))}`)
  return notes
}

function describe({ path, bytes, modified, tensors, numbers, dtypes, run, nodes, contents }: Summary): string {
  const lines = [
    `${pc.bold(path)}`,
    pc.dim(
      `${size(bytes)}, ${modified}, ${count(tensors, 'tensor')} of ${count(numbers, 'number')}${dtypes.length === 0 ? '' : ` (${dtypes.join(', ')})`}`,
    ),
    '',
  ]
  if (run !== null) lines.push(...describeRun(run), '')
  const width = Math.max(0, ...Object.keys({ ...nodes, ...contents }).map((name) => name.length))
  for (const [uid, node] of Object.entries(nodes)) lines.push(...describeNode(uid.padEnd(width), node, ' '.repeat(width)))
  for (const [name, kind] of Object.entries(contents)) lines.push(`${name.padEnd(width)}  ${kind}`)
  return lines.join('\n').trimEnd()
}

function describeRun({ seed, epochs, trainIterations, evalIterations, place, lossScale, last }: RunSummary): string[] {
  const rows = [
    ['trained', `${count(epochs, 'epoch')}, ${count(trainIterations, 'iteration')}`],
    ['evaluated', count(evalIterations, 'iteration')],
    ['goes on at', place.length === 0 ? 'the beginning' : place.join(' > ')],
    ['seed', String(seed)],
    ...(lossScale === null ? [] : [['loss scale', String(lossScale)]]),
  ]
  return [...rows.map(([name = '', value]) => `${pc.cyan(name.padEnd(10))}  ${value}`), ...last.map((record) => epochLine(record))]
}

function describeNode(uid: string, { tensors, numbers, optimizers, notes }: NodeSummary, indent: string): string[] {
  const about = [...(tensors === 0 ? [] : [`${count(tensors, 'tensor')} of ${count(numbers, 'number')}`]), ...notes]
  const width = Math.max(0, ...optimizers.map(({ pattern }) => pattern.length))
  const trains = optimizers.map(({ pattern, rule, updates, waiting, groups }) => {
    const rates = groups.map(
      ({ parameters, lr, schedule }) =>
        `${count(parameters, 'tensor')} at ${typeof lr === 'number' ? short(lr) : String(lr)}${schedule === null ? '' : ` (${String(schedule)})`}`,
    )
    return `${indent}  ${pc.green(pattern.padEnd(width))}  ${rule}, ${count(updates, 'update')}${waiting === 0 ? '' : ` and ${count(waiting, 'iteration')} of the next`}: ${rates.join('; ')}`
  })
  return [`${pc.bold(uid)}  ${about.join(', ')}`.trimEnd(), ...trains]
}

const whole = (value: number): string => value.toLocaleString('en-US')

const count = (number: number, what: string): string => `${whole(number)} ${what}${number === 1 ? '' : 's'}`

const short = (value: number): string => String(Number(value.toPrecision(4)))

const bytesFormat = new Intl.NumberFormat('en-US', { notation: 'compact', style: 'unit', unit: 'byte', unitDisplay: 'narrow' })

const size = (bytes: number): string => bytesFormat.format(bytes)

/** The state with names and texts that do not steer a terminal: they come from the file. */
function printable(state: StateTree): StateTree {
  if (typeof state === 'string') return plain(state)
  if (typeof state !== 'object' || state === null || state instanceof Tensor) return state
  if (Array.isArray(state)) return state.map(printable)
  return Object.fromEntries(Object.entries(state).map(([key, item]: [string, StateTree]) => [plain(key), printable(item)]))
}

const plain = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}/gu, '?')

type Members = ReadonlyMap<string, StateTree>

// A file may hold anything: what is not as expected is empty.
const membersOf = (state: StateTree | undefined): Members =>
  new Map(typeof state === 'object' && state !== null && !Array.isArray(state) && !(state instanceof Tensor) ? Object.entries(state) : [])

const listOf = (state: StateTree | undefined): readonly StateTree[] => (Array.isArray(state) ? state : [])

const numberOf = (state: StateTree | undefined): number => (typeof state === 'number' ? state : NaN)

function sizeOf(state: StateTree): { tensors: number; numbers: number; dtypes: string[] } {
  const found = [...tensorsIn(state)]
  return {
    tensors: found.length,
    numbers: found.reduce((sum, { size }) => sum + size, 0),
    dtypes: [...new Set(found.map(({ dtype }) => dtype))].toSorted(),
  }
}
