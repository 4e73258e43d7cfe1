// What a group of each of PyTorch's optimizers holds beside the options that have the same names here.
import type { OptionValue, RuleName } from '../rule.ts'

/** A value of a group of PyTorch's. */
export type TorchOption = OptionValue | string | readonly (number | null)[]

type Options = Readonly<Record<string, TorchOption>>

/** How one of PyTorch's optimizers saves its groups and state. */
export interface TorchLayout {
  /** What firn has no use for, as PyTorch's constructor leaves it; and what tells two optimizers of one layout apart. */
  readonly constants: Options
  /** Whether the state of a parameter has its number of steps. */
  readonly counted: boolean
  /** Whether PyTorch makes the state with the optimizer, not with the first step. */
  readonly eager?: true
  /** Options of a group by PyTorch's keys from those by ours in snake_case. */
  readonly toGroup?: (options: Options) => Options
  /** The reverse. */
  readonly fromGroup?: (group: Options) => Options
}

const foreach = { foreach: null }
const slow = { ...foreach, differentiable: false }
const capturable = { ...slow, capturable: false }
const fused = { ...slow, fused: null }
const adam = { ...capturable, fused: null }

const layouts: Partial<Record<RuleName, TorchLayout>> = {
  sgd: { constants: fused, counted: false },
  adam: { constants: { ...adam, decoupled_weight_decay: false }, counted: true },
  adamW: { constants: { ...adam, decoupled_weight_decay: true }, counted: true },
  nAdam: { constants: capturable, counted: true },
  rAdam: { constants: capturable, counted: true },
  adamax: { constants: capturable, counted: true },
  adagrad: { constants: fused, counted: true, eager: true },
  adadelta: { constants: capturable, counted: true },
  rmsProp: { constants: capturable, counted: true },
  rProp: { constants: capturable, counted: true },
  asgd: { constants: capturable, counted: true },
  adafactor: {
    constants: foreach,
    counted: true,
    toGroup: ({ eps1 = null, eps2 = null, ...rest }) => ({ ...rest, eps: [Number.isFinite(eps1) ? Number(eps1) : null, Number(eps2)] }),
    fromGroup: ({ eps, ...rest }) => {
      const [eps1 = null, eps2 = null] = Array.isArray(eps) ? eps : []
      return { ...rest, eps1, ...(eps2 === null ? {} : { eps2 }) }
    },
  },
  muon: {
    constants: {},
    counted: false,
    toGroup: ({ match_rms_adam_w: matched, maximize: _, ...rest }) => ({
      ...rest,
      adjust_lr_fn: matched === true ? 'match_rms_adamw' : null,
    }),
    fromGroup: ({ adjust_lr_fn: name = null, ...rest }) => ({ ...rest, match_rms_adam_w: name === 'match_rms_adamw', maximize: false }),
  },
}

/** The layout of PyTorch's optimizer of the same name; undefined where PyTorch has none. */
export const layoutOf = (rule: RuleName): TorchLayout | undefined => layouts[rule]

/** The rules that PyTorch has. */
export const torchRules = (): string[] => Object.keys(layouts)
