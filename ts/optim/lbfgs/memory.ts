// What L-BFGS remembers: the last steps and changes of the gradient, which stand for the curvature; saved as PyTorch saves it.
import { type DType, Tensor, tensor, tidy } from '../../tensor/index.ts'
import type { TorchEntry } from '../torch/state.ts'

/** The memory after an iteration; vectors over all parameters. */
export interface Memory {
  /** The direction of the last step, and its length along it. */
  readonly direction: Tensor<DType>
  readonly length: number
  /** Changes of the gradient, the steps that made them, and the inverses of their products. */
  readonly changes: readonly Tensor<DType>[]
  readonly moves: readonly Tensor<DType>[]
  readonly inverses: readonly Tensor<DType>[]
  /** The scale of the curvature; 1 before anything is known. */
  readonly scale: Tensor<DType>
  readonly gradient: Tensor<DType>
  readonly loss: number
}

/** Takes in the last step, unless the curvature along it is not positive. */
export function remember(memory: Memory, gradient: Tensor<DType>, historySize: number): Memory {
  return tidy(() => {
    const change = gradient.sub(memory.gradient)
    const move = memory.direction.mul(memory.length)
    const product = change.dot(move)
    if (!(Number(product.itemSync()) > 1e-10)) return memory
    const kept = <T>(list: readonly T[], item: T): T[] => [...list.slice(list.length === historySize ? 1 : 0), item]
    return {
      ...memory,
      changes: kept(memory.changes, change),
      moves: kept(memory.moves, move),
      inverses: kept(memory.inverses, product.reciprocal()),
      scale: product.div(change.dot(change)),
    }
  })
}

/** The descent direction: minus the gradient times the inverse of the Hessian as remembered (Nocedal, 1980: two loops). */
export function directionOf({ changes, moves, inverses, scale }: Memory, gradient: Tensor<DType>): Tensor<DType> {
  return tidy(() => {
    const shares: Tensor<DType>[] = []
    let q = gradient.neg()
    for (let i = changes.length - 1; i >= 0; i--) {
      const [change, move, inverse] = [changes[i], moves[i], inverses[i]]
      if (!change || !move || !inverse) continue
      const share = move.dot(q).mul(inverse)
      shares[i] = share
      q = q.sub(change.mul(share))
    }
    let r = q.mul(scale)
    for (const [i, change] of changes.entries()) {
      const [move, inverse, share] = [moves[i], inverses[i], shares[i]]
      if (!move || !inverse || !share) continue
      r = r.add(move.mul(share.sub(change.dot(r).mul(inverse))))
    }
    return r
  })
}

/** The tensors of a memory. */
export const tensorsOf = ({ direction, changes, moves, inverses, scale, gradient }: Memory): Tensor<DType>[] => [
  direction,
  ...changes,
  ...moves,
  ...inverses,
  scale,
  gradient,
]

/** The memory under PyTorch's keys. */
export function saveMemory(memory: Memory): Record<string, TorchEntry> {
  const own = (list: readonly Tensor<DType>[]): Tensor<DType>[] => list.map((item) => item.detach())
  return {
    d: memory.direction.detach(),
    t: memory.length,
    old_dirs: own(memory.changes),
    old_stps: own(memory.moves),
    ro: own(memory.inverses),
    H_diag: memory.scale.detach(),
    prev_flat_grad: memory.gradient.detach(),
    prev_loss: memory.loss,
  }
}

/** The memory that `saveMemory` or PyTorch gave, for `size` numbers of a dtype; differences are added to the list. */
export function loadMemory(saved: Readonly<Record<string, TorchEntry>>, size: number, dtype: DType, differences: string[]): Memory | null {
  const { d, old_dirs: dirs, old_stps: steps, ro, prev_flat_grad: grad, H_diag: scale = null, t = null, prev_loss: loss = null } = saved
  if (d === undefined || d === null) return null
  const vector = (key: string, value: TorchEntry | undefined): Tensor<DType> => {
    if (value instanceof Tensor && value.rank === 1 && value.size === size) return value.detach().to(dtype)
    differences.push(`${key}: ${value instanceof Tensor ? `[${value.shape.join(', ')}]` : 'missing'}, expected [${size}]`)
    return tensor(0, { dtype })
  }
  const number = (key: string, value: TorchEntry, as: DType = dtype): Tensor<DType> => {
    if (value instanceof Tensor && value.size === 1) return value.detach().reshape([]).to(as)
    if (typeof value !== 'number') differences.push(`${key}: no number`)
    return tensor(typeof value === 'number' ? value : 0, { dtype: as })
  }
  const list = <T>(key: string, value: TorchEntry | undefined, each: (key: string, item: TorchEntry) => T): T[] => {
    if (Array.isArray(value)) return value.map((item, i) => each(`${key}[${i}]`, item))
    differences.push(`${key}: missing`)
    return []
  }
  const memory = {
    direction: vector('d', d),
    length: Number(number('t', t, 'float64').itemSync()),
    changes: list('old_dirs', dirs, vector),
    moves: list('old_stps', steps, vector),
    inverses: list('ro', ro, (key, value) => number(key, value)),
    scale: number('H_diag', scale),
    gradient: vector('prev_flat_grad', grad),
    loss: Number(number('prev_loss', loss, 'float64').itemSync()),
  }
  const counts = [memory.changes, memory.moves, memory.inverses].map(({ length }) => length)
  if (new Set(counts).size > 1) differences.push(`old_dirs, old_stps and ro have ${counts.join(', ')} entries, expected the same`)
  return memory
}
