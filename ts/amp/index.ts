// Mixed precision: the scale of losses.
export { GradScaler } from './gradScaler.ts'
export type { GradScalerOptions, ScalerState } from './scalerState.ts'
