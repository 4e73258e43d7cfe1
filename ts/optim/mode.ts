// The two places of schedule-free parameters: where gradients are taken, and the average, which is what is evaluated.
import { FirnError } from '../errors.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import type { RuleName } from './rule.ts'
import type { Stepper } from './stepper.ts'

/** Whether parameters are where they train or where they are evaluated. */
export type ParamMode = 'train' | 'eval'

/** Moves parameters from one place to the other. */
export class Modes {
  readonly #rule: RuleName
  readonly #stepper: Stepper
  current: ParamMode = 'train'
  /** Of each group, the beta by which it was moved: the way back is the same, whatever the option has become. */
  readonly #betas = new Map<number, number>()

  constructor(rule: RuleName, stepper: Stepper) {
    this.#rule = rule
    this.#stepper = stepper
  }

  /** Moves the parameters; doing it again does nothing. */
  set(mode: ParamMode): void {
    if (this.#rule !== 'scheduleFreeAdamW')
      throw new FirnError(
        'argument',
        `${this.#rule}.${mode}: only the parameters of scheduleFreeAdamW differ between training and evaluation; leave the call out, and call ${mode}() of the module`,
      )
    if (mode === this.current) return
    this.current = mode
    for (const [g, { options }] of this.#stepper.groups.entries()) {
      const [now = 0] = Array.isArray(options['betas']) ? options['betas'].map(Number) : []
      const beta = mode === 'train' ? (this.#betas.get(g) ?? now) : now
      this.#betas.set(g, beta)
      const weight = mode === 'eval' ? 1 - 1 / beta : 1 - beta
      for (const { at, param } of this.#stepper.places(g)) this.#move(new Map(this.#stepper.slots(at)), param, weight)
    }
  }

  /** Throws where the parameters are not where gradients are taken. */
  refuse(what: string): void {
    if (this.current === 'eval')
      throw new FirnError('argument', `${what}: the parameters are where they are evaluated; call train() of the optimizer first`)
  }

  // The float32 copy of a half parameter stays where gradients are taken.
  #move(slots: ReadonlyMap<string, Tensor<DType>>, param: Tensor<DType>, weight: number): void {
    const [z, master] = [slots.get('z'), slots.get('master')]
    if (z === undefined) return
    if (master === undefined) param.update((x) => x.lerp(z, weight))
    else param.update(() => (this.current === 'eval' ? master.lerp(z, weight) : master).to(param.dtype))
  }
}
