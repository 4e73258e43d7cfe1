// The tape as users see it.
export * from './autocast.ts'
export * from './checkpoint.ts'
export * from './customFunction.ts'
export * from './detectAnomaly.ts'
export * from './functional.ts'
export { backward, grad, type BackwardFromOptions, type GradOptions } from './grad.ts'
export * from './gradCheck.ts'
export * from './noGrad.ts'
