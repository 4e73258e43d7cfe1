// The two kinds of tensor that a module owns: parameters, which train, and buffers, which do not.
import { native } from '../backend/index.ts'
import { checkOptions } from '../errors.ts'
import { type DType, type FloatDType, Tensor } from '../tensor/index.ts'

/**
 * A tensor that trains: put it in a field of a module. It requires a gradient and survives every scope. It takes over the
 * value of the tensor it is made from, which is freed; give it a `clone()` to keep that.
 *
 * @example
 * class Scale extends nn.Module {
 *   readonly factor = new nn.Parameter(ones([1]))
 *   forward(x: Tensor) { return x.mul(this.factor) }
 * }
 */
export class Parameter<D extends FloatDType = 'float32'> extends Tensor<D> {
  constructor(value: Tensor<D>) {
    super(takeOver(value))
    this.keep()
    this.requiresGrad = true
  }
}

/** How a buffer is saved. */
export interface BufferOptions {
  /** Its name in state dicts. @default the name of the field that holds it */
  readonly key?: string | null
  /** Whether it is part of state dicts. @default true */
  readonly persistent?: boolean
}

/**
 * A tensor that is part of a module's state and does not train, such as a running mean. It survives every scope, and takes
 * over the value of the tensor it is made from, which is freed.
 *
 * @example
 * class Center extends nn.Module {
 *   readonly mean = new nn.Buffer(zeros([3]))
 *   forward(x: Tensor) { return x.sub(this.mean) }
 * }
 */
export class Buffer<D extends DType = 'float32'> extends Tensor<D> {
  readonly key: string | null
  readonly persistent: boolean

  constructor(value: Tensor<D>, options: BufferOptions = {}) {
    checkOptions('Buffer', options, ['key', 'persistent'])
    super(takeOver(value))
    this.keep()
    this.key = options.key ?? null
    this.persistent = options.persistent ?? true
  }
}

/** A tensor that a module owns. */
export type OwnedTensor = Parameter<FloatDType> | Buffer<DType>

// A handle of its own, so that two objects never free one handle, and a leaf, whatever the value came from.
function takeOver(value: Tensor<DType>): number {
  const handle = native.detach(value.handle)
  value.dispose()
  return handle
}
