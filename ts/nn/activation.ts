// Activations as layers, for Sequential; in a forward the methods are shorter: `x.relu()`.
import { checkOptions } from '../errors.ts'
import type { Tensor } from '../tensor/index.ts'
import { Module } from './module.ts'

/** `max(x, 0)`. @example new nn.ReLU() */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu()
  }
}

/** `x * sigmoid(x)`. @example new nn.SiLU() */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.silu()
  }
}

/** `1 / (1 + exp(-x))`. @example new nn.Sigmoid() */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return x.sigmoid()
  }
}

/** Hyperbolic tangent. @example new nn.Tanh() */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return x.tanh()
  }
}

/** `x Φ(x)`, with the exact Φ (Hendrycks & Gimpel, 2016). @example new nn.GELU() */
export class GELU extends Module {
  override forward(x: Tensor): Tensor {
    return x.gelu()
  }
}

/** `log(1 + exp(x))`. @example new nn.Softplus() */
export class Softplus extends Module {
  override forward(x: Tensor): Tensor {
    return x.softplus()
  }
}

/** `x` where positive, else `negativeSlope * x`; the slope is 0.01 unless given. @example new nn.LeakyReLU({ negativeSlope: 0.2 }) */
export class LeakyReLU extends Module {
  readonly negativeSlope: number

  constructor(options: { negativeSlope?: number } = {}) {
    super()
    checkOptions('LeakyReLU', options, ['negativeSlope'])
    this.negativeSlope = options.negativeSlope ?? 0.01
  }

  override forward(x: Tensor): Tensor {
    return x.leakyRelu({ negativeSlope: this.negativeSlope })
  }

  override extraRepr(): string {
    return `negativeSlope=${this.negativeSlope}`
  }
}

/** `x` where positive, else `alpha * (exp(x) - 1)`; alpha is 1 unless given. @example new nn.ELU({ alpha: 0.5 }) */
export class ELU extends Module {
  readonly alpha: number

  constructor(options: { alpha?: number } = {}) {
    super()
    checkOptions('ELU', options, ['alpha'])
    this.alpha = options.alpha ?? 1
  }

  override forward(x: Tensor): Tensor {
    return x.elu({ alpha: this.alpha })
  }

  override extraRepr(): string {
    return `alpha=${this.alpha}`
  }
}

abstract class AlongDim extends Module {
  readonly dim: number

  constructor(dim: number) {
    super()
    this.dim = dim
  }

  override extraRepr(): string {
    return `dim=${this.dim}`
  }
}

/** `exp(x) / sum(exp(x))` along `dim`. @example new nn.Softmax(-1) */
export class Softmax extends AlongDim {
  override forward(x: Tensor): Tensor {
    return x.softmax(this.dim)
  }
}

/** The logarithm of softmax along `dim`. @example new nn.LogSoftmax(-1) */
export class LogSoftmax extends AlongDim {
  override forward(x: Tensor): Tensor {
    return x.logSoftmax(this.dim)
  }
}
