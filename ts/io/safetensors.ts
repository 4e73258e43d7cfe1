// Safetensors files: named tensors and a table of strings.
import { native } from '../backend/index.ts'
import { checkOptions } from '../errors.ts'
import { wrapHandle } from '../tensor/index.ts'
import { atomicWrite, ioError } from './atomicWrite.ts'
import { readWhole } from './readWhole.ts'
import { layoutSafetensors, type NamedTensors } from './safetensorsLayout.ts'

/** What a safetensors file holds. */
export interface SafetensorsContent {
  readonly tensors: NamedTensors
  /** The strings that were saved beside the tensors; empty when there were none. */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * The bytes of a safetensors file with these tensors and metadata.
 *
 * @example
 * const bytes = encodeSafetensors({ w: tensor([1, 2]) }, { epoch: '3' })
 */
export function encodeSafetensors(tensors: NamedTensors, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const { header, byteLength, write } = layoutSafetensors(tensors, metadata)
  const bytes = new Uint8Array(header.length + byteLength)
  bytes.set(header)
  write(bytes.subarray(header.length))
  return bytes
}

/**
 * The tensors and metadata of a safetensors file's bytes. Fails with code `'io'` when the bytes are damaged.
 *
 * @example
 * const { tensors, metadata } = decodeSafetensors(encodeSafetensors({ w: tensor([1, 2]) }))
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsContent {
  const { names, handles, metadata } = native.safetensorsDecode(bytes)
  const tensors = handles.map((handle, i) => [names[i] ?? '', wrapHandle(handle)] as const)
  return { tensors: Object.fromEntries(tensors), metadata: JSON.parse(metadata) }
}

/**
 * Saves named tensors as a safetensors file, atomically; the values are those at the time of the call.
 * Fails with code `'io'` when the file cannot be written; a file that was there before then stays as it was.
 *
 * @example
 * await saveSafetensors('model.safetensors', model.stateDict(), { metadata: { epoch: '3' } })
 */
export async function saveSafetensors(
  path: string,
  tensors: NamedTensors,
  options: { metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  checkOptions('saveSafetensors', options, ['metadata'])
  await atomicWrite(path, encodeSafetensors(tensors, options.metadata))
}

/**
 * Reads a safetensors file. Fails with code `'io'`, naming the file and what is wrong with it.
 *
 * @example
 * await saveSafetensors('model.safetensors', model.stateDict())
 * const { tensors } = await loadSafetensors('model.safetensors')
 * model.loadStateDict(tensors)
 */
export async function loadSafetensors(path: string): Promise<SafetensorsContent> {
  try {
    return decodeSafetensors(await readWhole(path))
  } catch (cause) {
    throw ioError(`cannot load '${path}'`, cause)
  }
}
