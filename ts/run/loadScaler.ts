// The scaler of a resumed run.
import type { GradScaler } from '../amp/index.ts'
import { FirnError } from '../errors.ts'
import { savedRecord } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'

/** Gives the scaler its saved state. Fails with code `'graph'` when only one of the two is there. */
export function loadScaler(scaler: GradScaler | null, saved: StateTree): void {
  if ((scaler === null) !== (saved === null)) {
    const [had, has] = saved === null ? ['none', 'one'] : ['a gradScaler', 'none']
    throw new FirnError('graph', `resumeFrom: the run had ${had} when saved, and the graph has ${has}; call graph.gradScaler() as it was`)
  }
  if (scaler === null) return
  const { found, ...state } = savedRecord('resumeFrom', saved)
  scaler.resume(state, typeof found === 'boolean' ? found : null)
}
