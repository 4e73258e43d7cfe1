// Moving plain data that holds tensors and modules to a device.
import { isRecord } from '../data/index.ts'
import { Module } from '../nn/index.ts'
import { Tensor } from '../tensor/index.ts'

/** The same data on a device; lists and records are followed, other objects left alone. What has nothing to move is returned as it is. */
export function move<T>(data: T, device: string): T
export function move(data: unknown, device: string): unknown {
  if (data instanceof Tensor) return data.device === device ? data : data.to({ device })
  if (data instanceof Module) {
    const stays = [...data.parameters(), ...data.buffers()].every((tensor) => tensor.device === device)
    return stays ? data : data.to({ device })
  }
  if (!Array.isArray(data) && !isRecord(data)) return data
  const entries = Object.entries(data).map(([key, item]: [string, unknown]) => ({ key, item, moved: move(item, device) }))
  if (entries.every(({ item, moved }) => item === moved)) return data
  return Array.isArray(data) ? entries.map(({ moved }) => moved) : Object.fromEntries(entries.map(({ key, moved }) => [key, moved]))
}
