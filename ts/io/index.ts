// Files: atomic writes, safetensors, nested states.
export { atomicWrite, isUnfinished } from './atomicWrite.ts'
export {
  decodeSafetensors,
  encodeSafetensors,
  loadSafetensors,
  type NamedTensors,
  type SafetensorsContent,
  saveSafetensors,
} from './safetensors.ts'
export { joinState, type Json, splitState, type StateTree } from './stateTree.ts'
