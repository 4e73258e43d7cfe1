// How tensors lie in a safetensors file: a header that says where each is, and their bytes after one another.
import { native } from '../backend/index.ts'
import { bytesOf, type DType, type Tensor } from '../tensor/index.ts'

/** Tensors by name; what a module's `stateDict()` gives and `loadStateDict()` takes. */
export type NamedTensors = Readonly<Record<string, Tensor<DType>>>

/** A file before its bytes are together. */
export interface Layout {
  readonly header: Uint8Array<ArrayBuffer>
  /** Bytes after the header. */
  readonly byteLength: number
  /** Copies the tensors, as they are now, to where they belong in so many bytes. */
  write(data: Uint8Array): void
}

/** The format's names of dtypes, in the order in which its writers put tensors: the largest elements first, so that all are aligned. */
const formatNames: Readonly<Record<DType, string>> = {
  int64: 'I64',
  float64: 'F64',
  float32: 'F32',
  int32: 'I32',
  bfloat16: 'BF16',
  float16: 'F16',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
}
const order = Object.keys(formatNames)

// Eight bytes that tell how long the header is, and a header that ends where float64 may begin.
const lengthBytes = 8
const alignment = 8

/** Lays out a file with these tensors and strings. Nothing is copied yet. */
export function layoutSafetensors(tensors: NamedTensors, metadata: Readonly<Record<string, string>> = {}): Layout {
  let byteLength = 0
  const places = Object.entries(tensors)
    .toSorted(([a, x], [b, y]) => order.indexOf(x.dtype) - order.indexOf(y.dtype) || (a < b ? -1 : 1))
    .map(([name, tensor]) => {
      const at = byteLength
      byteLength += tensor.size * bytesOf(tensor.dtype)
      return { name, tensor, at, end: byteLength }
    })
  const entries = places.map(({ name, tensor: { dtype, shape }, at, end }) => {
    return [name, { dtype: formatNames[dtype], shape, data_offsets: [at, end] }] as const
  })
  const table = Object.keys(metadata).length === 0 ? [] : [['__metadata__', metadata] as const]
  return {
    header: headerOf(JSON.stringify(Object.fromEntries<object>([...table, ...entries]))),
    byteLength,
    write: (data) => places.forEach(({ tensor, at, end }) => native.read(tensor.handle, data.subarray(at, end))),
  }
}

function headerOf(json: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(json)
  const length = Math.ceil(text.length / alignment) * alignment
  const header = new Uint8Array(lengthBytes + length).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(text, lengthBytes)
  return header
}
