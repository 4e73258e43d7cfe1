// The scaler of a resumed run.
import { GradScaler } from '../amp/index.ts'
import { savedRecord } from '../graph/index.ts'
import type { StateTree } from '../io/index.ts'
import type { Loading } from './checkpoint.ts'

/** The saved state of a scaler, beside the scaler: they differ when only one of the two is there. Fails when the state is none. */
export function compareScaler(scaler: GradScaler | null, saved: StateTree): Loading {
  if ((scaler === null) !== (saved === null)) {
    const [had, has] = saved === null ? ['none', 'one'] : ['a gradScaler', 'none']
    return {
      differences: [`gradScaler: the run had ${had} when saved, and the graph has ${has}; call graph.gradScaler() as it was`],
      load: () => {},
    }
  }
  if (scaler === null) return { differences: [], load: () => {} }
  const { found, ...state } = savedRecord('resumeFrom', saved)
  // On one that nobody uses, for its checks.
  new GradScaler({ enabled: scaler.enabled }).loadStateDict(state)
  return { differences: [], load: () => scaler.resume(state, typeof found === 'boolean' ? found : null) }
}
