// What the pools have in common: the window that slides over the last dimensions.
import { checkOptions } from '../errors.ts'
import { Module } from './module.ts'
import { type Sizes, type SizesOf, sizesText } from './sizes.ts'

/** Options of every window; `I` is a size as options spell it. */
export interface WindowOptions<I> {
  /** Distance between windows. @default kernel */
  readonly stride?: I | undefined
  /** What is added on each side, at most half of the kernel. @default 0 */
  readonly padding?: I | undefined
}

/** A window that slides. */
export abstract class Sliding<I, S extends Sizes> extends Module {
  readonly kernel: S
  readonly stride: S
  readonly padding: S

  protected constructor(name: string, sizesOf: SizesOf<I | number, S>, kernel: I, options: WindowOptions<I>, known: readonly string[]) {
    checkOptions(name, options, known)
    super()
    const { stride = kernel, padding = 0 } = options
    this.kernel = sizesOf(`${name}: kernel`, kernel)
    this.stride = sizesOf(`${name}: stride`, stride)
    this.padding = sizesOf(`${name}: padding`, padding, 0)
  }

  override extraRepr(): string {
    return `${sizesText(this.kernel)}, stride=${sizesText(this.stride)}, padding=${sizesText(this.padding)}`
  }
}

/** As many windows as `outputSize` says, whatever the size of the input. */
export abstract class Adaptive<I, S extends Sizes> extends Module {
  readonly outputSize: S

  protected constructor(name: string, sizesOf: SizesOf<I, S>, outputSize: I) {
    super()
    this.outputSize = sizesOf(`${name}: outputSize`, outputSize)
  }

  override extraRepr(): string {
    return sizesText(this.outputSize)
  }
}
