// Moving plain data that holds tensors and modules to a device.
import { isRecord } from '../data/index.ts'
import { Module } from '../nn/index.ts'
import { Tensor } from '../tensor/index.ts'

/** The same data on a device; lists and records are followed, other objects left alone. Modules move in place. */
export function move<T>(data: T, device: string): T
export function move(data: unknown, device: string): unknown {
  if (data instanceof Tensor) return data.device === device ? data : data.to({ device })
  if (data instanceof Module) {
    const stays = [...data.parameters(), ...data.buffers()].every((tensor) => tensor.device === device)
    return stays ? data : data.to({ device })
  }
  if (Array.isArray(data)) return data.map((item) => move(item, device))
  if (!isRecord(data)) return data
  return Object.fromEntries(Object.entries(data).map(([key, item]) => [key, move(item, device)]))
}
