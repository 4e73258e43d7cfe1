// Optimizers, schedules and clipping.
export { BoundOptimizer, type LossScale, type Stepped, type UpdateContext, type UpdateResult } from './bound.ts'
export { clipGradNorm, clipGradValue } from './clip.ts'
export * from './factories.gen.ts'
export type { BindTarget, GroupSource, NamedTensor, ParamGroup, ParamSource } from './group.ts'
export { Optimizer, type OptimizerJson, type StepOptions, type Updater, type UpdaterContext } from './optimizer.ts'
export type { OptionsOf, OptionValue, RuleName } from './rule.ts'
export type * from './rules.gen.ts'
export {
  constant,
  cosine,
  linear,
  type Plain,
  type Ramp,
  Schedule,
  type ScheduleJson,
  type ScheduleKind,
  type Stairs,
  step,
} from './schedule.ts'
export type { GroupState, OptimizerState } from './state.ts'
export { groupTable } from './table.ts'
