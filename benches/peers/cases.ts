// What every library is asked to do: plain data, sent to each peer's process.
import { large, type Inputs } from './large.ts'

interface Shared {
  /** Ways in which one library does the work. */
  readonly variants?: Readonly<Partial<Record<string, readonly string[]>>>
  /** The libraries that can do it; all by default. */
  readonly only?: readonly string[]
}

/** One product of 4 x 4 tensors, with its gradient when asked. */
export interface MulCase extends Shared {
  readonly kind: 'mul'
  readonly grad: boolean
}

/** An optimizer's step alone, on parameters of these shapes. */
export interface OptimizerCase extends Shared {
  readonly kind: 'adamw' | 'sgd'
  /** Between backward pass and step: gradients are unscaled, looked through for infinities, and clipped by their norm. */
  readonly guarded?: boolean
  readonly shapes: readonly (readonly number[])[]
}

/** A training step of a perceptron: forward, cross entropy, backward, Adam, loss read back. */
export interface MlpCase extends Shared {
  readonly kind: 'mlp'
  readonly sizes: readonly number[]
  readonly batch: number
}

/** The same for a convnet on 28 x 28 images: twice conv 3 x 3, relu, maximum of 2 x 2; then two linear layers. */
export interface ConvnetCase extends Shared {
  readonly kind: 'convnet'
  readonly channels: readonly [number, number, number]
  readonly hidden: number
  readonly batch: number
}

/** The same for a transformer that predicts the next token: blocks of causal attention and a perceptron, each after a layer norm. */
export interface GptCase extends Shared {
  readonly kind: 'gpt'
  readonly layers: number
  readonly size: number
  readonly heads: number
  readonly context: number
  readonly vocabulary: number
  readonly batch: number
}

/** An op of `large`, timed with all threads and with one; a step is so short that a brief warm-up and a few samples do. */
export interface LargeCase extends Shared {
  readonly kind: 'large'
  readonly name: string
  readonly inputs: Inputs
  readonly torch: string
  readonly grad: boolean
}

export type Case = MulCase | OptimizerCase | MlpCase | ConvnetCase | GptCase | LargeCase

/** The 161 parameters of a ResNet-50. */
function resnet50(): number[][] {
  const shapes = [[64, 3, 7, 7], [64], [64]]
  let width = 64
  for (const [blocks, planes] of [
    [3, 64],
    [4, 128],
    [6, 256],
    [3, 512],
  ] as const) {
    for (let block = 0; block < blocks; block++) {
      const out = planes * 4
      shapes.push([planes, width, 1, 1], [planes], [planes], [planes, planes, 3, 3], [planes], [planes], [out, planes, 1, 1], [out], [out])
      if (block === 0) shapes.push([out, width, 1, 1], [out], [out])
      width = out
    }
  }
  return [...shapes, [1000, 2048], [1000]]
}

/** Sets of parameters for an optimizer's step alone. */
export const parameterSets: Readonly<Record<string, readonly (readonly number[])[]>> = {
  '3 x 2.1 M': Array.from({ length: 3 }, () => [2048, 1024]),
  '1 x 16.8 M': [[4096, 4096]],
  'ResNet-50, 161 tensors': resnet50(),
  '1000 x 1 K': Array.from({ length: 1000 }, () => [1024]),
  '10 x 64': Array.from({ length: 10 }, () => [64]),
}

/** The same window without the guards, for what they cost. */
export const unguarded = 'AdamW alone'

const forms = { torch: ['fused', 'foreach', 'loop'], firn: ['fused', 'plain'] }
const adamW = (shapes: OptimizerCase['shapes']): OptimizerCase => ({ kind: 'adamw', shapes, variants: forms })
const sgd = (shapes: OptimizerCase['shapes']): OptimizerCase => ({ kind: 'sgd', shapes, variants: forms, only: ['firn', 'torch'] })
const guarded = (shapes: OptimizerCase['shapes']): OptimizerCase => ({
  kind: 'adamw',
  guarded: true,
  shapes,
  variants: { torch: ['fused', 'foreach'], firn: ['fused', unguarded] },
  only: ['firn', 'torch'],
})
const each = (title: string, make: (shapes: OptimizerCase['shapes']) => OptimizerCase): Readonly<Record<string, Case>> =>
  Object.fromEntries(Object.entries(parameterSets).map(([name, shapes]) => [`${title} ${name}`, make(shapes)]))
const mlp = (batch: number): MlpCase => ({ kind: 'mlp', sizes: [784, 256, 128, 10], batch, variants: { torch: ['fused', 'loop'] } })
/** Node 24 takes a fraction of a microsecond for `using` itself, which shows beside an op of this size. */
export const byHand = 'scope.end()'
const mul = (grad: boolean): MulCase => ({
  kind: 'mul',
  grad,
  variants: { 'jax-js': ['jit', 'eager'], ...(grad && { firn: ['using', byHand] }) },
})

export const cases: Readonly<Record<string, Case>> = {
  'mul 4x4': mul(false),
  'mul 4x4 + backward': mul(true),
  ...each('AdamW', adamW),
  ...each('SGD momentum', sgd),
  ...each('unscale + check + clip + AdamW', guarded),
  'MLP 784-256-128-10, Adam, B=128': mlp(128),
  'MLP 784-256-128-10, Adam, B=64': mlp(64),
  'convnet 32-64-fc128, Adam, B=64': {
    kind: 'convnet',
    channels: [1, 32, 64],
    hidden: 128,
    batch: 64,
    variants: { torch: ['fused'] },
    only: ['firn', 'torch'],
  },
  'GPT 4 x 128, context 64, Adam, B=16': {
    kind: 'gpt',
    layers: 4,
    size: 128,
    heads: 4,
    context: 64,
    vocabulary: 65,
    batch: 16,
    variants: { torch: ['fused'] },
    only: ['firn', 'torch'],
  },
  ...Object.fromEntries(
    Object.entries(large).map(([name, { inputs, torch, grad = false }]): [string, LargeCase] => [
      name,
      { kind: 'large', name, inputs, torch, grad, only: ['firn', 'torch'] },
    ]),
  ),
}

/** The same numbers in every library: a sine of the index. */
export function wave(length: number, scale: number, phase: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + phase) * scale)
}

/** Sixteen ones of alternating sign: products in a chain neither grow nor vanish. */
export const signs = (): Float32Array => Float32Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 1 : -1))

/** The same positions in every library, in no order (Knuth's multiplicative hash). */
export function scattered(length: number, below: number): number[] {
  return Array.from({ length }, (_, i) => (Math.imul(i + 1, 2_654_435_761) >>> 0) % below)
}

/** `wave` for a [rows, columns] matrix, stored as [columns, rows]. */
export function waveTransposed(rows: number, columns: number, scale: number, phase: number): Float32Array {
  const straight = wave(rows * columns, scale, phase)
  return Float32Array.from(straight, (_, i) => straight[(i % rows) * columns + Math.floor(i / rows)] ?? 0)
}
