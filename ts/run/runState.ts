// What a checkpoint keeps of a run beside its nodes and its place: counters, values, history, random streams, the scale.
import {
  type Counters,
  type EpochRecord,
  loadEarlyStops,
  loadHistory,
  loadMetrics,
  type RunContext,
  savedCount,
  savedRecord,
} from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'
import { rngState, setRngState } from '../tensor/index.ts'
import type { Loading } from './checkpoint.ts'
import { compareScaler } from './compareScaler.ts'

/** The state of a run at this moment. */
export function saveRunState(context: RunContext, history: readonly EpochRecord[]): Readonly<Record<string, StateTree>> {
  const { counters, metrics, info, gradScaler, earlyStops } = context
  return {
    gradScaler: gradScaler && { ...gradScaler.stateDict(), found: gradScaler.found },
    seed: info.seed,
    rng: { ...rngState() },
    counters: { ...counters },
    metrics: Object.fromEntries(metrics),
    history: history.map((record) => ({ ...record })),
    earlyStops: earlyStops.map((record) => ({ ...record, best: record.best && { ...record.best } })),
  }
}

/** What `saveRunState` gave, beside a run: it is read in full before any of it is taken over. */
export function compareRunState(context: RunContext, saved: Readonly<Record<string, StateTree>>, history: EpochRecord[]): Loading {
  const what = 'resumeFrom'
  const counters = savedRecord(what, saved['counters'])
  const count = (key: keyof Counters): number => savedCount(what, counters, key)
  const counts = { trainIterations: count('trainIterations'), evalIterations: count('evalIterations'), trainEpochs: count('trainEpochs') }
  const metrics = Object.entries(loadMetrics(saved['metrics']))
  const records = loadHistory(saved['history'])
  const earlyStops = loadEarlyStops(saved['earlyStops'])
  const rng = savedRecord(what, saved['rng'])
  const random = { seed: typeof rng['seed'] === 'string' ? rng['seed'] : '', calls: savedCount(what, rng, 'calls') }
  const scaler = compareScaler(context.gradScaler, saved['gradScaler'] ?? null)
  return {
    differences: scaler.differences,
    load: () => {
      setRngState(random)
      scaler.load()
      Object.assign(context.counters, counts)
      for (const [name, value] of metrics) context.metrics.set(name, value)
      context.earlyStops.push(...earlyStops)
      history.push(...records)
    },
  }
}
