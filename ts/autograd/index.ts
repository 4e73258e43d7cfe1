// The tape as users see it.
export * from './grad.ts'
export * from './gradCheck.ts'
export * from './noGrad.ts'
