// What a checkpoint keeps of a run beside its nodes and its place: counters, values, history, random streams, the scale.
import { type EpochRecord, loadEarlyStops, loadHistory, loadMetrics, type RunContext, savedCount, savedRecord } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'
import { rngState, setRngState } from '../tensor/index.ts'
import { loadScaler } from './loadScaler.ts'

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

/** Takes over what `saveRunState` gave. @returns the history */
export function loadRunState(context: RunContext, saved: Readonly<Record<string, StateTree>>): EpochRecord[] {
  const what = 'resumeFrom'
  const counters = savedRecord(what, saved['counters'])
  context.counters.trainIterations = savedCount(what, counters, 'trainIterations')
  context.counters.evalIterations = savedCount(what, counters, 'evalIterations')
  context.counters.trainEpochs = savedCount(what, counters, 'trainEpochs')
  for (const [name, value] of Object.entries(loadMetrics(saved['metrics']))) context.metrics.set(name, value)
  loadScaler(context.gradScaler, saved['gradScaler'] ?? null)
  context.earlyStops.push(...loadEarlyStops(saved['earlyStops']))
  const rng = savedRecord(what, saved['rng'])
  setRngState({ seed: typeof rng['seed'] === 'string' ? rng['seed'] : '', calls: savedCount(what, rng, 'calls') })
  return loadHistory(saved['history'])
}
