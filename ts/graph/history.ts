// The epochs of a run, read back from a checkpoint.
import type { StateTree } from '../io/index.ts'
import type { EpochRecord } from './context.ts'
import { savedCount, savedJson, savedNumber, savedRecord } from './savedState.ts'

/** The records that a checkpoint holds. Fails with code `'io'` when they are none. */
export function loadHistory(saved: StateTree | undefined): EpochRecord[] {
  return (Array.isArray(saved) ? saved : []).map(loadRecord)
}

function loadRecord(state: StateTree): EpochRecord {
  const what = 'checkpoint: history'
  const saved = savedRecord(what, state)
  const count = (key: string): number => savedCount(what, saved, key)
  return {
    label: String(saved['label']),
    training: saved['training'] === true,
    tags: Array.isArray(saved['tags']) ? saved['tags'].map(String) : [],
    epoch: count('epoch'),
    step: count('step'),
    iterations: count('iterations'),
    samples: count('samples'),
    seconds: savedNumber(what, saved, 'seconds'),
    metrics: loadMetrics(saved['metrics']),
  }
}

/** Values that nodes reported, read back. */
export function loadMetrics(saved: StateTree | undefined): EpochRecord['metrics'] {
  const entries = Object.entries(savedRecord('checkpoint: metrics', saved))
  return Object.fromEntries(entries.map(([name, value]) => [name, savedJson(`checkpoint: metric '${name}'`, value)]))
}
