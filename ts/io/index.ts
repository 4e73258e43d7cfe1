// Files: atomic writes, safetensors, nested states, the thread that writes.
export { atomicWrite, ioError, isUnfinished, removeFiles, removeUnfinished } from './atomicWrite.ts'
export { checksum } from './checksum.ts'
export { type FileParts, writeInThread } from './fileThread.ts'
export { readWhole } from './readWhole.ts'
export { decodeSafetensors, encodeSafetensors, loadSafetensors, type SafetensorsContent, saveSafetensors } from './safetensors.ts'
export { layoutSafetensors, type NamedTensors } from './safetensorsLayout.ts'
export { joinState, type Json, splitState, type StateTree } from './stateTree.ts'
export { threadProgram } from './thread.ts'
