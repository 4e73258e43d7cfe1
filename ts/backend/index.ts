// The binding in use.
import { isMainThread } from 'node:worker_threads'
import { FirnError, isErrorCode } from '../errors.ts'
import type { Native } from './contract.ts'
import { load } from './native.ts'

const loaded = load()

/** The core's functions. */
export const native: Native = loaded.native

native.install((code, message) => {
  throw new FirnError(isErrorCode(code) ? code : 'internal', message)
}, isMainThread)

/** What the addon is and where it was found. */
export function nativeInfo(): {
  path: string
  target: string
  version: string
  features: readonly string[]
  devices: readonly string[]
  threads: number
  simd: string
} {
  return { path: loaded.path, target: loaded.platform, ...native.info() }
}

/** Resolves `'auto'` or a device name; throws when this build does not have it. */
export function resolveDevice(name: string): string {
  if (typeof name !== 'string') throw new FirnError('device', `device: ${String(name)} given, expected a name such as 'cpu' or 'auto'`)
  return native.resolveDevice(name)
}
